/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_otlp: see decode_otlp.h. What JSON and Protobuf have in common.
 */
#include "autoconf.h"

#include "decode_otlp.h"

void otlp_mark(struct message *message, enum record_origin origin)
{
	message->origin = message->record.origin = origin;
}

void otlp_init(struct otlp *otlp, struct message *message, enum shape shape)
{
	const struct mappings *mappings = message->decoder->mappings;

	otlp->message = message;
	otlp->shape = shape;
	otlp->root = mappings->roots[shape];
	otlp->attributes = paths_find(mappings->paths, otlp->root, SPAN("attributes"));
	otlp->resource = paths_find(mappings->paths, otlp->root, SPAN("resource"));
}

void otlp_put_attribute(struct otlp *otlp, uint32_t node, struct span key,
			const struct value *value)
{
	struct decoder *decoder = otlp->message->decoder;
	uint32_t found = node == 0 ? 0 : paths_find(decoder->mappings->paths, node, key);

	if (found != 0)
		paths_put(decoder->mappings->paths, found, value, &decoder->values);
}

void otlp_put(struct otlp *otlp, const char *key, const struct value *value)
{
	otlp_put_attribute(otlp, otlp->root, span_of(key), value);
}

void otlp_put_scope(struct otlp *otlp, const struct value *name)
{
	const struct paths *paths = otlp->message->decoder->mappings->paths;

	otlp_put_attribute(otlp, paths_find(paths, otlp->root, SPAN("scope")), SPAN("name"), name);
}

void otlp_tell(struct otlp *otlp, struct span raw)
{
	struct message *message = otlp->message;
	const struct decoder *decoder = message->decoder;
	const struct mapping *mapping =
	    mappings_find(decoder->mappings, message->format, otlp->shape, &decoder->values);

	if (mapping == NULL)
		message_tell_skipped(message, raw, "no mapping knows it as a model call");
	else
		message_tell_mapped(message, mapping, raw);
}
