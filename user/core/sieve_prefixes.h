/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IPv4 prefixes shorter than /32 that are installed, each with a number.
 * Who uses it: the sieve's trie, which asks what covers a prefix that goes.
 *
 * A hash set in open addressing: eight bytes a slot, 60 to 75 % of them in use
 * while it grows, by a quarter each time and without limit. Slots stand in the
 * order of their hashes, so that a new table is written from end to end and a
 * million prefixes move in milliseconds.
 *
 * Addresses are in host order, their bits behind the length are 0.
 */
#ifndef CORE_SIEVE_PREFIXES_H
#define CORE_SIEVE_PREFIXES_H

#include "core/base.h"

#define PREFIX_SET_LENGTHS 32 /* 0..31 */
#define PREFIX_SET_NUMBERS (1U << 27)

struct prefix_slot {
	uint32_t addr;
	uint32_t word; /* number << 5 | length; 0: the slot is free */
};

struct prefix_set {
	struct prefix_slot *slots; /* owned */
	uint64_t key[2];	   /* odd */
	uint32_t room;
	uint32_t used;
	uint32_t lengths; /* bit len: there are such */
	uint32_t count[PREFIX_SET_LENGTHS];
};

/* key: two random words, so that nobody can prepare prefixes that collide. */
void prefix_set_init(struct prefix_set *s, const uint64_t key[static 2]);
void prefix_set_fini(struct prefix_set *s);

/* Makes room for one more. 0 or -ENOMEM, and nothing changed. */
int prefix_set_reserve(struct prefix_set *s);
/* One that is not there; needs room reserved before. number: 1 to PREFIX_SET_NUMBERS - 1. */
void prefix_set_add(struct prefix_set *s, uint32_t addr, uint32_t len, uint32_t number);

/* The number of a prefix; 0: it is not there. */
uint32_t prefix_set_find(const struct prefix_set *s, uint32_t addr, uint32_t len);
uint32_t prefix_set_remove(struct prefix_set *s, uint32_t addr, uint32_t len);
/* The number of the longest shorter prefix that covers it; 0: there is none. */
uint32_t prefix_set_cover(const struct prefix_set *s, uint32_t addr, uint32_t len);

/* Bytes of a set of so many, with what it takes while it grows to that. */
uint64_t prefix_set_memory_of(uint64_t prefixes);

#endif
