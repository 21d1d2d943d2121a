/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sieve of a harness: sized and mapped as plane/ does it, written with
 * every record by user/core's writer. MOAT_SIEVE=0: there is none, and the
 * program goes by the records.
 */
#ifndef PROG_HARNESS_SIEVE_H
#define PROG_HARNESS_SIEVE_H

#include "core/sieve.h"
#include "moat.skel.h"

struct harness_sieve;

/* Whether the environment wants one. */
bool harness_sieve_wanted(void);

/* Before the object is loaded, and after. A failure ends the test program. */
void harness_sieve_size(struct moat *skel, const uint32_t capacity[2]);
struct harness_sieve *harness_sieve_new(struct moat *skel, const uint32_t capacity[2]);
struct harness_sieve *harness_sieve_free(struct harness_sieve *s);

/* NULL, a map that is not of sources: nothing happens. */
void harness_sieve_put(struct harness_sieve *s, const char *map, const void *key,
		       const void *value);
void harness_sieve_delete(struct harness_sieve *s, const char *map, const void *key);
void harness_sieve_lengths(struct harness_sieve *s, uint8_t family, uint32_t count);

#endif
