/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many entries of a family have which prefix length, and which lengths the
 * kernel looks up. Who uses it: the image, one for each family.
 *
 * A length is looked up from before its first entry is put until after its
 * last is deleted.
 */
#ifndef CORE_LENGTHS_H
#define CORE_LENGTHS_H

#include "core/base.h"
#include "moat/source.h"

struct lengths {
	uint32_t count[MOAT_LENGTHS6];
	bool in_force[MOAT_LENGTHS6]; /* as last written */
	bool refused[MOAT_LENGTHS6];  /* written for an entry that the kernel then refused */
	size_t entries;
};

void lengths_add(struct lengths *l, uint8_t len);
void lengths_remove(struct lengths *l, uint8_t len);

bool lengths_added(const struct lengths *l);
bool lengths_removed(const struct lengths *l);

/* What is staged is written. */
void lengths_settle(struct lengths *l);

/* The lengths to look up, longest first. */
void lengths_fill(const struct lengths *l, uint8_t family, bool with_removed,
		  struct moat_lengths *ret);

#endif
