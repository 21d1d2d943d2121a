/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the JSON formats share. For feed_json*.c only.
 *
 * A format is a struct feed_json_shape: which objects are its records (those
 * in a list under one of its first keys, or each line of NDJSON), which fields
 * of them it wants, and which single values outside of records. feed_json.c
 * walks the file and calls back; it holds one record at a time.
 *
 *  1. A known field twice in an object: the object is skipped, for readers
 *     differ in which of the two counts.
 *  2. A record is skipped whole or used; what its fields mean is the format's.
 *  3. After a fault nothing is called but fini().
 */
#ifndef CORE_FEED_JSON_H
#define CORE_FEED_JSON_H

#include "core/feed_private.h"
#include "core/json_read.h"

#define FEED_JSON_FIELDS_MAX 16

struct feed_json_value {
	enum json_kind
		kind; /* JSON_NONE: absent; JSON_ARRAY: an empty one; JSON_OBJECT: not looked into */
	const char *text; /* ends in NUL; may hold NULs if size says so */
	size_t size;
	bool cut;
};

struct feed_json_record {
	struct feed_json_value field[FEED_JSON_FIELDS_MAX]; /* of an array: its first plain value */
	int key;	 /* index of the key that the list stood under, -1: NDJSON */
	uint64_t number; /* from 1 */
	uint64_t start;	 /* NDJSON: bytes before its line */
};

struct feed_json;

struct feed_json_shape {
	const char *const *fields; /* of a record, ended by NULL, at most FEED_JSON_FIELDS_MAX */
	const char *const *keys;   /* outside of records; the first .lists of them hold records */
	int lists;
	bool lines;    /* NDJSON */
	bool anywhere; /* lists may stand at any depth, else in the outermost object */
	bool single;   /* one object instead of a list of one will do */
	size_t text_max;
	size_t own_size; /* of j->own, zeroed */

	int (*record)(struct feed_json *j, const struct feed_json_record *r);
	/* A plain value under keys[key], or in lists below it; -1: not under one of keys. */
	int (*value)(struct feed_json *j, int key, const struct json_token *t);
	int (*finish)(struct feed_json *j); /* the file is well-formed to its end */
	void (*fini)(void *own);
};

extern const struct feed_json_shape feed_json_spamhaus; /* ASN-DROP too */
extern const struct feed_json_shape feed_json_abuseipdb;
extern const struct feed_json_shape feed_json_stix;
extern const struct feed_json_shape feed_json_misp;
extern const struct feed_json_shape feed_json_warninglist;
extern const struct feed_json_shape feed_json_cloud;
extern const struct feed_json_shape feed_json_crowdsec;

struct feed_json {
	struct feed_parser *p;
	const struct feed_json_shape *shape;
	void *own; /* of the format */
	struct json_read read;
	bool listed;	  /* one of the lists was there, if null or empty */
	bool keyed;	  /* the outermost object has a key */
	bool complains;	  /* it has a key of an error message */
	char message[96]; /* of it */
	int errors_at;	  /* where the message is looked for, see feed_json.c */

	int16_t under[JSON_DEPTH_MAX + 1]; /* by depth: index of the key, -1 */
	bool array[JSON_DEPTH_MAX + 1];	   /* by depth: what encloses it */

	/* The record being read. */
	unsigned int inside; /* depth of its fields, 0: none */
	int slot;	     /* field that the next value is for, -1: none wanted */
	bool twice, too_long;
	struct feed_json_record record;
	size_t at[FEED_JSON_FIELDS_MAX]; /* of the texts, in .texts */
	char *texts;			 /* owned */
	size_t used, room;
};

/* A row with nothing in it yet. */
struct feed_row feed_json_row(const struct feed_json_record *r);

/* Reads an address or prefix into row, or skips with its cause. Whether it did. */
bool feed_json_source(struct feed_parser *p, const char *text, size_t size, uint64_t number,
		      struct feed_row *row);

bool feed_json_is(const struct feed_json_value *v, const char *text);
/* The same, ASCII letters of either case. */
bool feed_json_like(const struct feed_json_value *v, const char *text);
bool feed_json_true(const struct feed_json_value *v); /* also 1 and "1" */
/* A number or digits in a string. 0 or -EINVAL. */
int feed_json_integer(const struct feed_json_value *v, int64_t *ret);
/* 0..100, or FEED_NO_CONFIDENCE. */
uint8_t feed_json_confidence(const struct feed_json_value *v);
/* RFC 3339. 0 or -EINVAL. */
int feed_json_time(const char *text, size_t size, int64_t *ret);

static inline bool feed_json_given(const struct feed_json_value *v)
{
	return v->kind != JSON_NONE && v->kind != JSON_NULL;
}

#endif
