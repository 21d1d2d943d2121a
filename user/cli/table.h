/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Aligned columns, colours, and text that is safe on a terminal.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "core/text.h"

enum tint { TINT_NONE, TINT_GOOD, TINT_WARN, TINT_BAD, TINT_DIM, TINT_BOLD };

/* Around text; nothing without colour. */
const char *tint_begin(bool colour, enum tint tint);
const char *tint_end(bool colour, enum tint tint);

/*
 * Appends a string of the database or the daemon as a terminal may have it:
 * control characters, what turns the writing direction, and what is not UTF-8
 * become '?'. NULL counts as "".
 */
void clean_text(struct text *out, const char *s);

#define TABLE_COLUMNS 12
#define TABLE_WIDTH   48 /* a wider cell pushes the rest of its line */

struct table {
	size_t columns;
	unsigned int shown;	     /* the caller's own: which of the columns it may show */
	size_t width[TABLE_COLUMNS]; /* grows; kept when the rows are flushed */
	size_t cells;
	size_t room;
	struct table_cell *cell; /* owned, with its texts */
	bool failed;
};

void table_free(struct table *t);

/* Cells fill rows from left to right. The text is cleaned and copied. */
void table_add(struct table *t, enum tint tint, const char *s);

/* Writes the rows, each after indent, and forgets them. */
void table_flush(struct table *t, FILE *out, bool colour, const char *indent);

#endif
