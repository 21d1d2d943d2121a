/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv4 hosts of the sieve by number in host order, for the tests of them.
 */
#ifndef TESTS_SIEVE_HOSTS_LAB_H
#define TESTS_SIEVE_HOSTS_LAB_H

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/sieve_lab.h"

#define START 100000 /* ticks */
#define UNIT  (1U << MOAT_SLOT_UNIT)

static inline void open_with_key(uint32_t hosts, uint64_t seed)
{
	sieve_lab_open((const uint32_t[2]){ hosts, 0 }, seed, START);
	sieve_set_lengths(sieve_lab.sieve, MOAT_IPV4, 1);
}

static inline void open_for(uint32_t hosts)
{
	open_with_key(hosts, 1);
}

static inline void put_until(uint32_t host, uint32_t class, uint32_t expires)
{
	struct prefix p = sieve_lab_host4(host);

	sieve_put(sieve_lab.sieve, &p, class, expires);
}

static inline void put(uint32_t host, uint32_t class)
{
	put_until(host, class, MOAT_NEVER);
}

static inline void drop(uint32_t host)
{
	struct prefix p = sieve_lab_host4(host);

	sieve_delete(sieve_lab.sieve, &p);
}

static inline struct sieve_answer read_at(uint32_t host)
{
	return sieve_lab_read4(htobe32(host));
}

static inline bool listed_as(uint32_t host, uint32_t class)
{
	struct sieve_answer a = read_at(host);

	return a.listed && a.class == class && a.len == 32;
}

static inline bool clean(uint32_t host)
{
	struct sieve_answer a = read_at(host);

	return !a.listed && !a.ask;
}

static inline bool asked(uint32_t host)
{
	return read_at(host).ask;
}

static inline struct sieve_numbers numbers(void)
{
	struct sieve_numbers n;

	sieve_numbers(sieve_lab.sieve, &n);
	return n;
}

static inline void settle(void)
{
	if (sieve_wants_grace(sieve_lab.sieve))
		sieve_grace(sieve_lab.sieve);
}

/* Distinct hosts that have nothing in common. */
static inline uint32_t scattered(uint32_t i)
{
	return (i + 1) * 2654435761U;
}

static inline uint32_t count_asked(uint32_t count, uint32_t class)
{
	uint32_t asks = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (asked(scattered(i)))
			asks++;
		else
			assert_true(listed_as(scattered(i), class));
	}
	return asks;
}

#endif
