/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sieve behind the tables: its maps, and the writes that keep it in step
 * with the records. Private to plane/.
 *
 * All of it does nothing while there is no sieve.
 */
#ifndef PLANE_TABLES_SIEVE_H
#define PLANE_TABLES_SIEVE_H

#include "plane/object.h"
#include "plane/tables.h"

struct tables_sieve;

struct tables_sieve *tables_sieve_free(struct tables_sieve *s);

/* What object_load() is given; NULL: there is no sieve. */
const struct object_sieve *tables_object_sieve(const struct tables *t);

/* From now on programs may read it at any time, on any CPU. */
void tables_note_reader(const struct tables *t);

/* Records were written: those with done[i] 0. */
void tables_sieve_put(struct tables *t, uint8_t family, const void *keys,
		      const struct moat_source *values, const int16_t *done, size_t count);

/* Records are deleted next. */
void tables_sieve_delete(struct tables *t, uint8_t family, const void *keys, size_t count);

/* They were not, or not all of them: takes back those that are there still. */
void tables_sieve_restore(struct tables *t, uint8_t family, const void *keys, size_t count);

/* So many lengths of a family are in force. */
void tables_sieve_lengths(struct tables *t, uint8_t family, uint32_t count);

#endif
