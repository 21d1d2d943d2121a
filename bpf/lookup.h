/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which class the source of a packet has: by the sieve, and by the records
 * where the sieve is not certain or is switched off.
 *
 * The interface, which a peer of a benchmark replaces without touching
 * anything else: lookup_source() and lookup_record().
 */
#ifndef BPF_LOOKUP_H
#define BPF_LOOKUP_H

#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/record.h"
#include "bpf/sieve.h"

/* Number of the sieve that this program reads, 0: none. Set before load. */
const volatile __u32 moat_sieved = 0;

/*
 * Whether somebody writes it. A daemon has a sieve of its own; until it has
 * replaced the program of the one before, that one's sieve is out of date.
 */
static __always_inline bool lookup_sieved(const struct moat_control *control)
{
	return moat_sieved && control->sieve == moat_sieved;
}

static __always_inline enum lookup lookup_take(__u64 word, struct found *found)
{
	union match match = { .word = word };

	found->class = match.class;
	found->len = match.len;
	return match.result;
}

/* family of the packet is IPv4 or IPv6. *found is set only with LOOKUP_LISTED. */
static __always_inline enum lookup lookup_source(const struct packet *pkt,
						 const struct moat_control *control,
						 struct found *found)
{
	enum lookup result = LOOKUP_ASK;
	__u64 first, second;

	if (pkt->family == MOAT_IPV4) {
		if (lookup_sieved(control))
			result = sieve4(pkt->source[0], found);
		if (result != LOOKUP_ASK)
			return result;
		return lookup_take(record4(pkt->source[0], control->lengths_bank[MOAT_IPV4]),
				   found);
	}

	first = moat_half(pkt->source[0], pkt->source[1]);
	second = moat_half(pkt->source[2], pkt->source[3]);
	if (lookup_sieved(control))
		result =
			lookup_take(sieve6(first, second, control->lengths_bank[MOAT_IPV6]), found);
	if (result != LOOKUP_ASK)
		return result;
	return lookup_take(record6(first, second, control->lengths_bank[MOAT_IPV6]), found);
}

/*
 * The record that holds the state of limit for a match of lookup_source(), or
 * NULL if it went away meanwhile.
 */
static __always_inline struct moat_source *lookup_record(const struct packet *pkt,
							 const struct found *found)
{
	return record_of(pkt, found->len);
}

#endif
