/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A YAML file as a tree that remembers where everything stood, so that every
 * error, also one of meaning, names line and column.
 *
 * Who uses it: config.c and config_policy.c only. Built by setting_parse(), owned
 * by its caller, read through the setting_*() helpers, which fill file->why and
 * return -EINVAL where the value does not suit.
 *
 * Invariants of a tree:
 *  1. No text holds control characters, NUL included.
 *  2. Keys of a mapping are plain text and differ.
 *  3. No aliases, no tags, one document; depth and keys are bounded.
 */
#ifndef CORE_CONFIG_SETTING_H
#define CORE_CONFIG_SETTING_H

#include "core/base.h"
#include "core/problem.h"

#define SETTING_DEPTH_MAX 8
#define SETTING_KEYS_MAX  256 /* of one mapping */
#define SETTING_SHOWN_MAX 64  /* characters of a value that a message repeats */

enum setting_type { SETTING_TEXT, SETTING_LIST, SETTING_MAPPING };

struct setting {
	enum setting_type type;
	unsigned int line, column; /* from 1; where the value begins */
	char *text;		   /* owned; of SETTING_TEXT, else NULL */
	char *key;		   /* owned; in a mapping, else NULL */
	unsigned int key_line, key_column;
	const char *name; /* what messages call it: its key, or that of the list it is in */
	struct setting *first, *next; /* owned: children, siblings */
};

/* Where messages go, and the name they begin with. */
struct setting_file {
	const char *name;
	struct problem *why;
};

/* text need not end in NUL. An empty file gives *ret NULL. */
int setting_parse(const struct setting_file *file, const char *text, size_t size,
		  struct setting **ret);

struct setting *setting_free(struct setting *n);
static inline void setting_freep(struct setting **n)
{
	*n = setting_free(*n);
}

/* "file:line:column: ..." at the value, or at its key. Both return -EINVAL. */
_printf_(3, 4) int setting_fail(const struct setting_file *file, const struct setting *at,
				const char *fmt, ...);
_printf_(3, 4) int setting_fail_key(const struct setting_file *file, const struct setting *at,
				    const char *fmt, ...);

/* Text as messages show it: cut, and only printable ASCII. Returns buf. */
#define SETTING_SHOWN (4 * SETTING_SHOWN_MAX + 4)
const char *setting_shown(const char *text, char buf[static SETTING_SHOWN]);

/* "a, b or c" (last is " or "), for messages. Returns buf. */
#define SETTING_JOINED 512
const char *setting_join(const char *const *names, size_t count, const char *last,
			 char buf[static SETTING_JOINED]);

/* The value of a key, or NULL. */
const struct setting *setting_get(const struct setting *mapping, const char *key);

size_t setting_children(const struct setting *n);

int setting_expect_mapping(const struct setting_file *file, const struct setting *n,
			   const char *example);
int setting_expect_list(const struct setting_file *file, const struct setting *n,
			const char *example);

/* Non-empty text. It belongs to the tree. */
int setting_text(const struct setting_file *file, const struct setting *n, const char **ret);

/* A copy of text in place of what *target owned. */
int setting_keep(const struct setting_file *file, const char *text, char **target);

/* An absolute path of at most max bytes that does not end in '/', likewise. */
int setting_path(const struct setting_file *file, const struct setting *n, size_t max,
		 char **target);

/* A decimal whole number, or (hex) also one as 0x10. */
int setting_number(const struct setting_file *file, const struct setting *n, uint64_t min,
		   uint64_t max, bool hex, uint64_t *ret);

int setting_bool(const struct setting_file *file, const struct setting *n, bool *ret);

/* One of the names; *ret is its index. */
int setting_choice(const struct setting_file *file, const struct setting *n,
		   const char *const *names, size_t count, unsigned int *ret);

/* Says that the key of n is not among the names. what: "an interface". Returns -EINVAL. */
int setting_refuse_key(const struct setting_file *file, const struct setting *n, const char *what,
		       const char *const *names, size_t count);

/* Refuses keys that are not among the names. */
int setting_check_keys(const struct setting_file *file, const struct setting *mapping,
		       const char *what, const char *const *names, size_t count);

#endif
