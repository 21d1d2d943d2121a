/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference model: what a packet must get, written to be obvious.
 *
 * It shares no code with the filter: bytes at offsets instead of structs, a
 * linear search over raw claims instead of compiled classes, a leaky bucket
 * instead of GCRA, checksums summed anew. From include/ it takes the names of
 * actions, verdicts, reasons and families, nothing else.
 *
 * How to use: fill a struct reference, then reference_judge() each frame in
 * the order it is sent (the buckets of `limit` remember).
 *
 * What it says, in order:
 *  1. A frame without a source address to judge leaves with a plain reason.
 *  2. While paused every packet passes.
 *  3. A live `allow` that covers the source wins.
 *  4. Of the live claims that cover it, those whose policy fits propose; the
 *     strongest action wins, then the lower rank. Where the category asks for
 *     more independent feeds than claim it, the one below it proposes instead.
 *     Shared addresses propose nothing: a live one turns a drop into its tag.
 *  5. A source without live claims, but for shared ones, leaves with what is odd about its frame,
 *     else with "expired" if it had claims, else as empty or clean.
 *  6. Plain reasons may be configured to drop, except while paused.
 *  7. Without enforcement a drop or a tag only counts.
 *  8. With replies, what would be dropped by policy passes if it answers a
 *     flow that reference_leave() has seen this host open.
 */
#ifndef PROG_REFERENCE_H
#define PROG_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "moat/policy.h"
#include "moat/reason.h"

#define REFERENCE_CATEGORIES 64
#define REFERENCE_SCOPE_MAX  8 /* protocols and ports of one policy */
#define REFERENCE_FLOWS	     64
#define REFERENCE_FOREVER    UINT64_MAX

/* Local UDP ports of clients: the kernel's default. */
#define REFERENCE_CLIENT_FIRST 32768
#define REFERENCE_CLIENT_LAST  60999

/* What this host opened and has not forgotten. */
struct reference_flow {
	uint8_t protocol;
	uint8_t here[16], there[16]; /* of IPv4 the first 4 bytes */
	uint16_t here_port, there_port;
	enum moat_family family;
	bool closing;	     /* TCP: this host has nothing more to say */
	uint64_t ends;	     /* boot ns */
	unsigned int errors; /* ICMP, since the last packet left */
};

/* One claim of the abuse database. */
struct reference_claim {
	uint8_t family; /* MOAT_IPV4 or MOAT_IPV6 */
	uint8_t len;
	uint8_t category;  /* 0 is allow */
	uint8_t addr[16];  /* network order, host bits are 0 */
	uint8_t feed;	   /* those with the same number are not independent */
	bool trusted;	   /* needs no others */
	uint64_t expires;  /* boot ns; 0: never */
	uint64_t level;	   /* limit: ns in the bucket, kept at the first claim of its prefix */
	uint64_t level_at; /* boot ns */
};

struct reference_policy {
	enum moat_action action;
	unsigned int rank;		       /* order of the configuration */
	uint8_t protocol[REFERENCE_SCOPE_MAX]; /* scope; none: every protocol */
	unsigned int protocols;
	uint16_t port[REFERENCE_SCOPE_MAX]; /* destination ports, ICMP types; none: every port */
	unsigned int ports;
	bool bits;	 /* limit: by length */
	uint64_t period; /* limit: ns a packet, or a byte */
	uint64_t burst;	 /* limit: ns */
	bool marks;	 /* tag: skb mark */
	uint32_t mark;
	bool has_dscp; /* tag: DSCP */
	uint8_t dscp;
	unsigned int k_of; /* independent feeds it takes to act; 0, 1: any one */
	uint8_t below;	   /* category that counts with fewer */
	bool shared;	   /* tag: only in place of another's drop */
};

struct reference {
	struct reference_claim *claim; /* not owned */
	size_t claims;
	struct reference_policy policy[REFERENCE_CATEGORIES];
	bool enforce;
	bool no_metadata;      /* the driver takes none: marking fails */
	uint64_t drop_reasons; /* bit r: drop what leaves with plain reason r */
	uint64_t paused_until; /* boot ns; 0: not paused */
	bool replies;	       /* pass */
	struct reference_flow flow[REFERENCE_FLOWS];
	size_t flows; /* the test opens no more than there is room for */
};

struct reference_outcome {
	enum moat_verdict verdict;
	enum moat_reason reason;
	enum moat_family family;
	uint8_t category; /* 0 without */
	uint8_t tags;	  /* category whose tag the packet gets, if it gets one */
	bool marked;
	uint32_t mark;
};

/* Judges a frame at a time (boot ns); the frame changes as the packet would. */
void reference_judge(struct reference *r, uint64_t now, uint8_t *frame, size_t size,
		     struct reference_outcome *ret);

/* A frame leaves this host at a time (boot ns). */
void reference_leave(struct reference *r, uint64_t now, const uint8_t *frame, size_t size);

/* The source address of a frame. Returns false if it has none to judge. */
bool reference_source(const uint8_t *frame, size_t size, uint8_t *ret_family, uint8_t ret_addr[16]);

/* Whether a prefix covers an address of the same family. */
bool reference_covers(const uint8_t *prefix, unsigned int len, const uint8_t *addr);

/* The Internet checksum of an IPv4 header as it should be (the stored one is ignored). */
uint16_t reference_checksum(const uint8_t *header, size_t size);

#endif
