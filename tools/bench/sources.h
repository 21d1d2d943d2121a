/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which sources a benchmark lists, and which addresses its packets come from:
 * the same in every run and every program.
 *
 * Source number n of a family is a pure function of n, one-to-one, so the
 * first N are N distinct sources and every other number is a clean address.
 *
 * IPv4: hosts, spread over all addresses. IPv6: eight prefix lengths in turn,
 * each source in a /32 of its own inside 2000::/3; every second clean packet
 * differs from a listed source only in the last bit of its prefix.
 */
#ifndef BENCH_SOURCES_H
#define BENCH_SOURCES_H

#include <stdbool.h>
#include <stdint.h>

#include "moat/reason.h"
#include "moat/source.h"
#include "tools/bench/source.h"

#define SOURCES_MAX 100000000U /* that the numbering of both families has room for */

/* Prefix lengths that sources of the family have, longest first. */
const struct moat_lengths *sources_lengths(uint8_t family);

/* Source number n as a key; IPv4 uses addr[0]. */
struct moat_key6 sources_key(uint8_t family, uint32_t n);

/* xorshift64*: the caller's state, never 0. */
uint64_t sources_random(uint64_t *state);

/* A random address that is (or is not) covered by the first count sources. */
struct bench_source sources_packet(uint8_t family, uint32_t count, bool listed, uint64_t *state);

#endif
