/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sieve on the heap, and its reader: bpf/sieve.h itself, compiled for user
 * space over these maps, so that a test reads what a program would.
 *
 * One a process; it ends the process when it cannot do what it must. Any thread
 * may read while one writes.
 */
#ifndef TESTS_SIEVE_LAB_H
#define TESTS_SIEVE_LAB_H

#include "core/sieve.h"

struct sieve_lab {
	struct sieve_maps maps;
	struct sieve *sieve;
	uint32_t now; /* ticks: what the reader's clock says */
	/* Called before each load of the reader's: what a writer does meanwhile, as the test wants it. */
	void (*between)(void);
};
extern struct sieve_lab sieve_lab;

/* seed: of the keys. The clock begins at start ticks. */
void sieve_lab_open(const uint32_t capacity[2], uint64_t seed, uint32_t start);
/* Maps of this very size: to be short of them. */
void sieve_lab_open_sized(const struct sieve_size *size, uint64_t seed, uint32_t start);
void sieve_lab_close(void);

/* What the reader of moat_lengths sees of IPv6: these lengths, longest first. In force at once. */
void sieve_lab_lengths6(const uint8_t *lengths, uint32_t count);

struct sieve_answer {
	bool empty;  /* nothing of the family is installed */
	bool ask;    /* only the records know */
	bool listed; /* as class, by a prefix of len */
	uint32_t class, len;
};
struct sieve_answer sieve_lab_read(const struct prefix *host);

/* The same for IPv4, quicker to call. */
struct sieve_answer sieve_lab_read4(__be32 addr);

static inline struct prefix sieve_lab_host4(uint32_t host)
{
	struct prefix p = { .family = MOAT_IPV4, .len = 32 };

	p.addr[0] = host >> 24;
	p.addr[1] = host >> 16;
	p.addr[2] = host >> 8;
	p.addr[3] = host;
	return p;
}

/* Random words: xorshift, state not 0. */
static inline uint64_t sieve_lab_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545F4914F6CDD1DULL;
}

#endif
