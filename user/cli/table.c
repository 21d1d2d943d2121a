/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/table.h"

#include "core/emit.h"

#define CELLS_FIRST 64

struct table_cell {
	char *text; /* owned */
	size_t width;
	enum tint tint;
};

const char *tint_begin(bool colour, enum tint tint)
{
	static const char *const codes[] = {
		[TINT_NONE] = "",	   [TINT_GOOD] = "\033[32m", [TINT_WARN] = "\033[33m",
		[TINT_BAD] = "\033[1;31m", [TINT_DIM] = "\033[2m",   [TINT_BOLD] = "\033[1m",
	};

	return colour ? codes[tint] : "";
}

const char *tint_end(bool colour, enum tint tint)
{
	return colour && tint != TINT_NONE ? "\033[0m" : "";
}

/* C1 controls, and the marks, embeddings, overrides and isolates of direction. */
static bool is_unsafe(const char *s, size_t size)
{
	const unsigned char *u = (const unsigned char *)s;

	if (size == 1)
		return u[0] < 0x20 || u[0] == 0x7f;
	if (size == 2)
		return u[0] == 0xc2 && u[1] < 0xa0;
	if (size != 3 || u[0] != 0xe2)
		return false;
	if (u[1] == 0x80)
		return u[2] == 0x8e || u[2] == 0x8f || (u[2] >= 0xa8 && u[2] <= 0xae);
	return u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9;
}

void clean_text(struct text *out, const char *s)
{
	size_t size;

	text_add(out, "%s", "");
	for (; s && *s; s += size ? size : 1) {
		size = emit_utf8(s);
		if (!size || is_unsafe(s, size))
			text_add(out, "?");
		else
			text_add(out, "%.*s", (int)size, s);
	}
}

static size_t columns_of(const char *s)
{
	size_t columns = 0;

	/* A character a column: close enough for names and reasons. */
	for (; *s; s++)
		columns += ((unsigned char)*s & 0xc0) != 0x80;
	return columns;
}

static void forget_cells(struct table *t)
{
	for (size_t i = 0; i < t->cells; i++)
		free(t->cell[i].text);
	t->cells = 0;
}

void table_free(struct table *t)
{
	forget_cells(t);
	free(t->cell);
	*t = (struct table){};
}

void table_add(struct table *t, enum tint tint, const char *s)
{
	size_t room = t->room ? t->room * 2 : CELLS_FIRST;
	size_t column = t->cells % t->columns;
	struct table_cell *grown;
	struct text clean = {};

	if (t->cells == t->room) {
		grown = reallocarray(t->cell, room, sizeof(*grown));
		if (!grown) {
			t->failed = true;
			return;
		}
		t->cell = grown;
		t->room = room;
	}
	clean_text(&clean, s);
	if (clean.failed) {
		text_free(&clean);
		t->failed = true;
		return;
	}
	t->cell[t->cells].text = clean.data;
	t->cell[t->cells].width = columns_of(clean.data);
	t->cell[t->cells].tint = tint;
	if (t->cell[t->cells].width > t->width[column])
		t->width[column] = t->cell[t->cells].width < TABLE_WIDTH ? t->cell[t->cells].width
									 : TABLE_WIDTH;
	t->cells++;
}

/* Nothing but blanks would follow in the row. */
static bool is_last(const struct table *t, size_t row, size_t column)
{
	for (size_t c = column + 1; c < t->columns; c++)
		if (row + c < t->cells && t->cell[row + c].width)
			return false;
	return true;
}

static void write_row(const struct table *t, size_t row, FILE *out, bool colour, const char *indent)
{
	fputs(indent, out);
	for (size_t c = 0; c < t->columns && row + c < t->cells; c++) {
		const struct table_cell *cell = &t->cell[row + c];
		bool last = is_last(t, row, c);

		fprintf(out, "%s%s%s", tint_begin(colour, cell->tint), cell->text,
			tint_end(colour, cell->tint));
		if (last)
			break;
		fprintf(out, "%*s",
			(int)(cell->width < t->width[c] ? t->width[c] - cell->width + 2 : 2), "");
	}
	fputc('\n', out);
}

void table_flush(struct table *t, FILE *out, bool colour, const char *indent)
{
	for (size_t row = 0; row < t->cells; row += t->columns)
		write_row(t, row, out, colour, indent);
	if (t->failed)
		fputs("(out of memory: rows are missing)\n", out);
	forget_cells(t);
}
