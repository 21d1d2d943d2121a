/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows that are good but in force in other regions only: which, and how many by
 * feed and category.
 *
 * They are not in the model. So that a million of them cost little, a row is
 * known by a 128-bit hash of its source, category and feed; should two ever
 * collide, a count is off by one and nothing else.
 */
#ifndef DAEMON_ELSEWHERE_H
#define DAEMON_ELSEWHERE_H

#include "core/gate.h"

struct elsewhere;

int elsewhere_new(struct elsewhere **ret);
struct elsewhere *elsewhere_free(struct elsewhere *e);
DEFINE_CLEANUP(struct elsewhere, elsewhere_free)

/* feed and category are the numbers it counts under. 1 new, 0 known, -ENOMEM. */
int elsewhere_set(struct elsewhere *e, const struct row *row, uint16_t feed, uint8_t category);
/* 1 if it was there. */
int elsewhere_clear(struct elsewhere *e, const struct row *row);

size_t elsewhere_count(const struct elsewhere *e, uint16_t feed, uint8_t category);
size_t elsewhere_total(const struct elsewhere *e);

#endif
