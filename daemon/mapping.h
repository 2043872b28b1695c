/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping: where a sender's records have what a call needs, as data: schemas/NAME.json, described
 * in docs/FORMATS.md, read by mapping_file, applied here. Pure, and part of `decode`: no clock, no
 * files, no log.
 *
 * All mappings of a process share one tree of paths, so a record is walked once however many
 * mappings there are and fields they have. A set is made once and then only read: any number of
 * threads may use it.
 */
#ifndef TOKENTALLY_MAPPING_H
#define TOKENTALLY_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode.h"
#include "decode_call.h"
#include "decode_paths.h"
#include "mem.h"

/* What a mapping's paths are paths of. */
enum shape { SHAPE_RECORD, SHAPE_SPAN, SHAPE_LOG, SHAPES };

enum mapping_field {
	FIELD_TIME,
	FIELD_USER,
	FIELD_MODEL,
	FIELD_EVENT_ID,
	FIELD_TEAM,
	FIELD_APP,
	FIELD_SESSION,
	FIELD_PROVIDER,
	FIELD_STATUS,
	FIELD_SERVICE_TIER,
	FIELD_INPUT,
	FIELD_CACHE_READ,
	FIELD_CACHE_WRITE,
	FIELD_CACHE_WRITE_1H,
	FIELD_OUTPUT,
	FIELD_REASONING,
	FIELD_TOTAL,
	FIELD_COST,
	FIELD_DURATION,
	FIELD_TTFT,
	MAPPING_FIELDS
};
enum field_kind { KIND_TIME, KIND_TEXT, KIND_WORD, KIND_COUNT, KIND_NUMBER };
struct field_def {
	const char *name;
	enum field_kind kind;
	size_t target; /* in struct call; of a count: none */
	size_t len_min;
	double max;
	const char *const *words; /* KIND_WORD */
	bool required;
};
extern const struct field_def mapping_fields[MAPPING_FIELDS];

enum condition_kind {
	WHEN_PRESENT,
	WHEN_ABSENT,
	WHEN_IS,
	WHEN_NOT,
	WHEN_STARTS,
	WHEN_ENDS,
	WHEN_HAS,
	WHEN_AT_LEAST
};
struct condition { /* of the first of its paths that has a value */
	enum condition_kind kind;
	uint16_t *slots;
	size_t slot_count;
	struct span *words;
	size_t word_count;
	double least;
};
struct conditions { /* all must hold */
	struct condition *items;
	size_t count;
};

struct word {
	struct span from, to;
	int index; /* of `to` among the field's words */
};
enum source_kind { SOURCE_PLACE, SOURCE_JOIN, SOURCE_SUM, SOURCE_DIFFERENCE };
struct source_path { /* one place where a field may be */
	enum source_kind kind;
	uint16_t *slots;
	size_t slot_count;
	int exponent; /* of ten: from the sender's unit to ours */
	bool utc;     /* a time without an offset is UTC */
	char separator;
	struct word *words;
	size_t word_count;
	double error_from; /* a status code; below 0: none */
	const char *means; /* NULL, or the value that the place's being there means */
	int means_index;   /* among the field's words */
	struct conditions conditions;
	struct span name; /* of the place, for a dead letter */
};
struct sources {
	struct source_path *items;
	size_t count;
};

struct skip_rule {
	struct conditions conditions;
	const char *why;
};

enum cache_rule { CACHE_UNREPORTED, CACHE_INSIDE, CACHE_OUTSIDE };
enum reasoning_rule { REASONING_INSIDE, REASONING_OUTSIDE };

struct mapping {
	const char *name;    /* of its file */
	const char *variant; /* "" or the variant's name */
	enum shape shape;
	enum record_origin origin;
	struct conditions detect;
	bool many; /* records are the members of what stands at records_slot */
	uint16_t records_slot;
	uint32_t root; /* of the paths of a record */
	struct skip_rule *skips;
	size_t skip_count;
	struct sources fields[MAPPING_FIELDS];
	struct span defaults[MAPPING_FIELDS];
	int default_index[MAPPING_FIELDS]; /* of a word */
	enum cache_rule cache;
	enum reasoning_rule reasoning;
	bool lower_emails;
	uint16_t *used; /* all its slots: none of them may have been sent twice */
	size_t used_count;
};

struct mappings {
	struct paths *paths;
	struct arena *arena; /* of all that hangs here */
	struct mapping *items;
	size_t count;
	uint32_t roots[SHAPES];
	uint16_t
	    native[NATIVE_FIELDS]; /* slots of the canonical fields under roots[SHAPE_RECORD] */
	uint16_t otlp[3];	   /* of resourceSpans, resourceLogs, resourceMetrics */
};

/* An empty set: it knows the native format and the containers of OTLP. */
struct mappings *mappings_new(void);
void mappings_free(struct mappings *mappings);
/* Adds what a mapping file says: mapping_file.c. The order is the order of detection. */
bool mappings_add(struct mappings *mappings, struct span name, enum record_origin origin,
		  struct span json, struct err *err) ATTR_MUST_CHECK;

/* The format of this name: one of decode's, or a mapping's. */
bool mappings_format(const struct mappings *mappings, struct span name, enum format *out);

/* The mapping to read a record by: under FORMAT_AUTO the first that knows it; NULL: none. */
const struct mapping *mappings_find(const struct mappings *mappings, enum format format,
				    enum shape shape, const struct values *values);

bool conditions_hold(const struct conditions *conditions, const struct values *values);

/* Makes *call of the values, or *record a dead letter or a skipped one, and returns false. */
bool mapping_read(const struct mapping *mapping, const struct values *values, struct arena *arena,
		  struct call *call, struct record *record) ATTR_MUST_CHECK;

/* The token counters as a sender gave them. */
struct raw_tokens {
	int64_t counts[MAPPING_FIELDS];
	bool sent[MAPPING_FIELDS];
};
/* Puts them into *call in our convention; what does not add up is mended, never below zero and
 * never counted double, and marked in record->suspects. */
void mapping_settle(const struct mapping *mapping, const struct raw_tokens *raw, struct call *call,
		    struct record *record);

#endif
