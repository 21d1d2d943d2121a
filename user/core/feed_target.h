/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One target as lists write it: an address, prefix, netmask or range.
 *
 *	192.0.2.1  192.0.2.0/24  192.0.2.0/255.255.255.0  192.0.2.1-192.0.2.9
 *	192.0.2.1 - 192.0.2.9  2001:db8::/32  [2001:db8::1]  fe80::1%eth0  "192.0.2.1"
 *
 * Strict like prefix_parse(): what could be meant otherwise is left out with
 * its reason, never guessed. Nothing is allocated.
 */
#ifndef CORE_FEED_TARGET_H
#define CORE_FEED_TARGET_H

#include "core/feed.h"

struct feed_target {
	struct prefix first; /* of a range; else the prefix, its host bits cleared */
	struct prefix last;
	bool range;
	bool host_bits; /* some were set */
	bool bare;	/* an address alone: a mask or another address may follow in a column */
};

static inline bool feed_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

/* Where the blanks at text end. */
static inline const char *feed_skip_blanks(const char *text, const char *end)
{
	while (text < end && feed_is_blank(*text))
		text++;
	return text;
}

/* Whether "#", ";" or "//" stands at text. */
static inline bool feed_is_comment(const char *text, const char *end)
{
	return text < end &&
	       (*text == '#' || *text == ';' || (*text == '/' && end - text > 1 && text[1] == '/'));
}

/*
 * Reads the target at *at, which is no blank, and moves *at behind it; blanks
 * and separators end it. Returns whether there is one; if not, *ret_skip says
 * why and *at is behind the word that is none.
 */
bool feed_target_read(const char **at, const char *end, struct feed_target *ret,
		      enum feed_skip *ret_skip);

/* The same for a whole field of a table: blanks around it may be, nothing else. */
bool feed_target_field(const char *field, size_t size, struct feed_target *ret,
		       enum feed_skip *ret_skip);

/*
 * A bare IPv4 address and the text of the column behind it: a netmask makes
 * it a prefix; a wildcard mask or another address is refused, for nothing
 * says what it means. True if the target may be used.
 */
bool feed_target_mask(struct feed_target *t, const char *column, const char *end,
		      enum feed_skip *ret_skip);

/* Number of digits only, at most max. True, or false if it is none. */
bool feed_number(const char *text, size_t size, uint64_t max, uint64_t *ret);

struct feed_parser;

/* Whether its host bits are a reason to leave it out: the feed says so, or it looks cut short. */
bool feed_target_refused(const struct feed_parser *p, const struct feed_target *t);

/* Its rows; row has all but the source. Returns what feed_emit() does. */
int feed_target_emit(struct feed_parser *p, struct feed_row *row, const struct feed_target *t);

/* Addresses in an IPv4 target, before feed_emit() leaves anything out; 0: IPv6. */
uint64_t feed_target_addresses(const struct feed_target *t);

#endif
