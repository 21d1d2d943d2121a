/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests as a table of sentences: a list, a packet, and what must become of it.
 *
 * Each row goes through the loaded program on both roads of install.h, and
 * through the reference model: all three must agree with the row, and program
 * and model with each other about the frame's bytes and mark. After each row
 * the sum over all counters is the packets sent.
 */
#ifndef PROG_SENTENCE_H
#define PROG_SENTENCE_H

#include "tests/prog/cmocka.h"
#include "tests/prog/install.h"
#include "tests/prog/packet.h"

/* Rows leave out what is as usual. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/*
 * The categories of the tables, in the order of their configuration.
 *
 *        name        action    what else (see sentence.c)
 */
enum category {
	ALLOW = MOAT_CATEGORY_ALLOW,
	BOTNET,	    /* drop */
	BRUTEFORCE, /* drop, tcp ports 22 and 3389 */
	TCP_ONLY,   /* drop, tcp */
	PINGER,	    /* drop, icmp and icmpv6 types 8 and 128 */
	SCRAPER,    /* limit, 3 packets, then one in an hour */
	QUOTA,	    /* limit, 300 bytes, then one in 10 s */
	RESOLVER,   /* limit, udp port 53, 1 packet, then one in an hour */
	SCANNER,    /* tag, mark 0x10 and DSCP 8 */
	MARKED,	    /* tag, mark 0x20 */
	COLOURED,   /* tag, DSCP 46 */
	RESEARCH,   /* monitor */
	WATCHED,    /* monitor, udp port 53 */
	PROXY,	    /* drop where two feeds agree */
	PROXY_FEW,  /* what counts where they do not */
	TELNET,	    /* drop tcp port 23 where three feeds agree */
	TELNET_FEW, /* what counts where they do not */
	CGNAT,	    /* shared, mark 0x40 and DSCP 5 */
	MOBILE,	    /* shared, mark 0x41 */
};

#define SCRAPER_BURST 3
#define QUOTA_BYTES   300

#define SENTENCE_CLAIMS 8
#define SENTENCE_LEFT	4

struct sentence_claim {
	const char *source;
	enum category category;
	int seconds; /* until it expires; negative: since; 0: never */
	uint8_t feed;
	bool trusted;
};

struct sentence {
	const char *says;
	struct sentence_claim claim[SENTENCE_CLAIMS]; /* source NULL ends */
	struct packet packet;
	unsigned int before; /* times the packet is sent before the one that is judged */

	bool judge;			   /* replies: judge */
	struct packet left[SENTENCE_LEFT]; /* left this host before; source NULL ends */
	unsigned int later;		   /* seconds from then until the packet comes */

	bool observe;  /* enforcement is off */
	int paused;    /* seconds until the pause ends; negative: since */
	uint64_t drop; /* plain reasons that are configured to drop */

	enum moat_verdict verdict;
	enum moat_reason reason;
	enum category category;
};

/* Runs a table and then more tests as one group; returns how many failed. */
int sentence_run(const char *group, const struct sentence *rows, size_t count,
		 const struct CMUnitTest *more, size_t mores);

/* The harness of the running group. */
struct harness *sentence_harness(void);

/* ---- for tests that are more than one sentence ---- */

#define SENTENCE_SECOND 1000000000ULL /* ns */

/* A world with the categories above, enforcing, without claims. */
struct reference *sentence_world(void);
struct reference *sentence_world_free(struct reference *world);
DEFINE_CLEANUP(struct reference, sentence_world_free)

/* Appends a claim; expires in boot ns. */
void sentence_add(struct reference *world, const char *source, enum category category,
		  uint64_t expires);

/* Sends a packet and asserts what became of it. */
void sentence_expect(struct harness *h, const struct packet *packet, enum moat_verdict verdict,
		     enum moat_reason reason, enum category category);

#define BIT(reason) (1ULL << (reason))

#endif
