/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_otlp: the batches that the OpenTelemetry Collector's Kafka exporter writes, as JSON and as
 * Protobuf. Part of `decode`.
 *
 * Both readers lay each span or log record out under the same paths (/attributes/KEY,
 * /resource/KEY, /start ...: docs/FORMATS.md), and a mapping of the shape span or log reads it. A
 * record that no mapping knows is no model call and is skipped; so are metrics, which repeat what
 * spans and logs say. One bad record is one dead letter.
 */
#ifndef TOKENTALLY_DECODE_OTLP_H
#define TOKENTALLY_DECODE_OTLP_H

#include "decode_record.h"

enum otlp_kind { OTLP_SPANS, OTLP_LOGS, OTLP_METRICS, OTLP_KINDS };

/* All records of the message are of this origin. */
void otlp_mark(struct message *message, enum record_origin origin);

/* The values of one record, going into the decoder's. */
struct otlp {
	struct message *message;
	enum shape shape;
	uint32_t root, attributes, resource; /* nodes of the tree of paths; 0: no mapping asks */
};
void otlp_init(struct otlp *otlp, struct message *message, enum shape shape);
void otlp_put(struct otlp *otlp, const char *key, const struct value *value);
/* An attribute of the record, or of its resource. */
void otlp_put_attribute(struct otlp *otlp, uint32_t node, struct span key,
			const struct value *value);
void otlp_put_scope(struct otlp *otlp, const struct value *name);
/* Reads what was put and tells the record. */
void otlp_tell(struct otlp *otlp, struct span raw);

/* list: what stands at resourceSpans, resourceLogs or resourceMetrics. */
void otlp_json_decode(struct message *message, enum otlp_kind kind, struct span list);

/* Whether it may be an Export*ServiceRequest: nothing but submessages of number 1. */
bool otlp_proto_knows(struct span payload);
void otlp_proto_decode(struct message *message, struct span payload);

#endif
