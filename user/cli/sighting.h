/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sampled packet as the daemon tells of it, and which of them somebody wants.
 */
#ifndef CLI_SIGHTING_H
#define CLI_SIGHTING_H

#include "cli/client.h"

#define SIGHTING_BYTES_MAX 2048 /* of a packet */

/* The texts belong to the JSON, "" for what is not there. */
struct sighting {
	int64_t time_ns; /* since 1970 */
	const char *iface, *family, *verdict, *reason, *category;
	const char *source, *destination, *protocol;
	int source_port, destination_port; /* negative: not known */
	int type;			   /* of ICMP; negative: it is none */
	uint32_t length;		   /* on the wire */
	uint8_t bytes[SIGHTING_BYTES_MAX]; /* as many of its first ones as came */
	size_t size;
};

/*
 * How many packets are missing before this line, of whatever filter; most
 * lines know of none. The daemon counts since the stream began: *told is what
 * was heard of so far, 0 at first.
 */
uint64_t sighting_lost(const json_t *json, uint64_t *told);
/* False: it is no packet. */
bool sighting_read(const json_t *json, struct sighting *ret);

/* "source is listed, action drop" of "listed"; "" if there is no such reason. */
const char *sighting_reason_text(const char *reason);

/* Nanoseconds of an RFC 3339 time, or of seconds since 1970. 0 if it is neither. */
int64_t sighting_time(const json_t *time);

/* ---- which ---- */

/* The first options of a verb, in this order. */
enum {
	SIGHTING_REASON,
	SIGHTING_CATEGORY,
	SIGHTING_VERDICT,
	SIGHTING_IFACE,
	SIGHTING_SOURCE,
	SIGHTING_COUNT,
	SIGHTING_FOR,
	SIGHTING_PASSES,
	SIGHTING_RATE,
	SIGHTING_OPTIONS_END,
};

/* clang-format off */
#define SIGHTING_OPTIONS                                                                           \
	[SIGHTING_REASON] = { 0, "reason", "REASON", "only of this reason, or of these: a,b" },    \
	[SIGHTING_CATEGORY] = { 'c', "category", "CATEGORY", "only of this category, or these" },  \
	[SIGHTING_VERDICT] = { 0, "verdict", "VERDICT", "only drop, tag, monitor or pass" },       \
	[SIGHTING_IFACE] = { 'i', "iface", "IFACE", "only of this interface" },                    \
	[SIGHTING_SOURCE] = { 0, "source", "SOURCE", "only from this address or prefix" },         \
	[SIGHTING_COUNT] = { 'n', "count", "N", "end after so many packets" },                     \
	[SIGHTING_FOR] = { 0, "for", "TIME", "end after 30s, 5m, 1h" },                            \
	[SIGHTING_PASSES] = { 0, "passes", NULL, "clean packets too" },                            \
	[SIGHTING_RATE] = { 0, "rate", "N", "at most so many a second" }
/* clang-format on */

/* What the options say. */
struct sighting_filter {
	struct text path; /* owned: where to ask */
	uint64_t count;	  /* UINT64_MAX: without end */
	int64_t seconds;  /* 0: without end */
};

/* CLI_DONE, or CLI_USAGE and said. bytes: the first bytes of the packets are wanted too. */
int sighting_filter_read(const struct cli *cli, const struct call *call, bool bytes,
			 struct sighting_filter *ret);
void sighting_filter_free(struct sighting_filter *f);

#endif
