/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The listings of one list, collected row by row and then looked up: what a
 * feed says now. And covers: what a list of prefixes has in common with
 * another, and how much of the address space it is.
 *
 * Who uses it: feed_apply.c, from feed_set_new() to feed_set_free(). Memory is
 * bounded by FEED_SET_MAX entries and FEED_SET_TEXTS bytes of texts.
 */
#ifndef DAEMON_FEED_SET_H
#define DAEMON_FEED_SET_H

#include "core/feed.h"
#include "moat/policy.h"

#define FEED_SET_MAX   4000000 /* listings of one feed */
#define FEED_SET_TEXTS (256U << 20)

/* What became of an entry when it was compared to the database. */
enum feed_fate {
	FEED_NEW,	/* not there */
	FEED_SAME,	/* there just so */
	FEED_REFRESHED, /* there; something but the key differs */
};

struct feed_entry {
	struct prefix source;
	uint8_t category;   /* number of feed_set_category() */
	uint8_t confidence; /* FEED_NO_CONFIDENCE: none */
	uint8_t fate;	    /* enum feed_fate */
	uint8_t cause;	    /* enum gate_cause: why it will not be in force */
	bool ends;	    /* it is not to be there: the feed ends it, or it is left out */
	bool own_expiry;    /* expires is what the feed says, not the ttl */
	bool lapsed;	    /* there, but its end had come */
	bool wide;	    /* shorter than may be added without force */
	uint32_t texts;	    /* where reference and reason are */
	int64_t expires;    /* 0: never */
};

struct feed_set;

int feed_set_new(struct feed_set **ret);
struct feed_set *feed_set_free(struct feed_set *s);
DEFINE_CLEANUP(struct feed_set, feed_set_free)

/* The number of a category's name, or -ENOSPC. */
int feed_set_category(struct feed_set *s, const char *name);
const char *feed_set_category_name(const struct feed_set *s, uint8_t category);

/* Adds a row that is to be a listing of category. -E2BIG: more than FEED_SET_MAX. */
int feed_set_add(struct feed_set *s, const struct feed_row *row, uint8_t category, int64_t expires);

/*
 * Once all are in: sorts by source and category and makes one of each pair.
 * Of several the longest-lived stays, and one to add wins over one to end.
 */
void feed_set_sort(struct feed_set *s);

size_t feed_set_count(const struct feed_set *s);
struct feed_entry *feed_set_at(struct feed_set *s, size_t index);

/* NULL: not there. Sorted. */
struct feed_entry *feed_set_find(struct feed_set *s, const struct prefix *source, int category);

/* "" if the row had none. Valid as long as s. */
const char *feed_set_reference(const struct feed_set *s, const struct feed_entry *entry);
const char *feed_set_reason(const struct feed_set *s, const struct feed_entry *entry);

size_t feed_set_duplicates(const struct feed_set *s);

/* ---- covers: sorted prefixes, none in another ---- */

struct cover {
	struct prefix *prefix; /* owned */
	size_t count;
};

void cover_free(struct cover *c);

/* The union of entries that the gate lets in and the feed does not end. Sorted. */
int cover_make(struct feed_set *s, struct cover *ret);

/* Whether p lies in the cover, or one of the cover in p. */
bool cover_overlaps(const struct prefix *cover, size_t count, const struct prefix *p);

uint64_t cover_addresses(const struct cover *c); /* IPv4 */
uint64_t cover_nets(const struct cover *c); /* IPv6, in /64s, begun ones whole; UINT64_MAX at most */

#endif
