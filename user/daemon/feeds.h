/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of feeds as small numbers, which the model keeps a claim. A number is
 * never reused; the daemon begins anew each time it reads the whole database.
 *
 * A host can stand in the database twice, as address and as /32 or /128: two
 * rows, each with an end of its own. So that they are two claims, a feed has
 * another number for hosts that are written with their length (cidr).
 */
#ifndef DAEMON_FEEDS_H
#define DAEMON_FEEDS_H

#include "core/base.h"

struct feeds;

#define FEEDS_MAX 65535

int feeds_new(struct feeds **ret);
struct feeds *feeds_free(struct feeds *f);
DEFINE_CLEANUP(struct feeds, feeds_free)

/* The number of a name, given one if it has none. -ENOMEM, -ENOSPC. */
int feeds_number(struct feeds *f, const char *name, bool cidr);

/* The number of a name, or -ENOENT. */
int feeds_find(const struct feeds *f, const char *name, bool cidr);

/* One more than the highest number given. */
size_t feeds_count(const struct feeds *f);

/* Belongs to f. number must be one it gave. */
const char *feeds_name(const struct feeds *f, uint16_t number);
bool feeds_is_cidr(const struct feeds *f, uint16_t number);

#endif
