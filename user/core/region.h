/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a listing is in force: a list of words such as "de,eu", and the words
 * that a host carries.
 *
 * A word is 1 to 31 of [a-z0-9-]. A list as any client may have left it has
 * them in any order and case, with commas between and blanks around; NULL or
 * nothing but blanks means everywhere. Pure, no ownership.
 */
#ifndef CORE_REGION_H
#define CORE_REGION_H

#include "core/base.h"

#define REGION_WORD  32	  /* bytes of a word with NUL */
#define REGION_WORDS 64	  /* that a host or a listing may have */
#define REGION_TEXT  1024 /* bytes of a list with NUL */

/* Whether text is one word as a host carries it: lower case. */
bool region_word_ok(const char *text);

/*
 * Whether a host that carries these words is in the list. 1, 0, or -EINVAL:
 * text is no list. A list without a word is every host's.
 */
int region_fits(const char *text, char (*word)[REGION_WORD], size_t words);

/*
 * The one spelling: lower case, sorted, each word once, commas between. ret
 * becomes "" for everywhere. 0 or -EINVAL.
 */
int region_canonical(const char *text, char ret[static REGION_TEXT]);

#endif
