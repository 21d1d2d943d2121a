/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What 'moatctl top' shows, without a terminal: what the daemon said last and
 * before that, as rates and rows in the order somebody wants.
 *
 *	top_take_status(&top, json); top_take_metrics(&top, text, ms);
 *	top_take_rows(&top, json, ms);
 *	top_draw(&top, &canvas);
 *
 * Times ms are of a clock that nobody sets; a rate is the difference of two
 * answers by theirs.
 */
#ifndef CLI_TOP_H
#define CLI_TOP_H

#include "cli/client.h"
#include "cli/table.h"

/* clang-format off */
enum top_by { TOP_SOURCE, TOP_PREFIX, TOP_CATEGORY, TOP_FEED, TOP_BY_MAX };
enum top_sort { TOP_RATE, TOP_HITS, TOP_BYTES, TOP_LAST, TOP_NAME, TOP_SORT_MAX };
/* clang-format on */

/* By what: as the API names it, its array and the member that names a row; titles of columns. */
struct top_way {
	const char *by, *array, *name, *title, *detail;
};
extern const struct top_way top_ways[TOP_BY_MAX];
/* TOP_BY_MAX: there is no such word. */
enum top_by top_way_of(const char *by);

/* Where to ask. seen: only what was seen within so many seconds; 0: whatever. */
void top_path(enum top_by by, const char *limit, unsigned int seen, struct text *out);

/* What stands behind the numbers of a row: "botnet", "3 sources", "drop 7, tag 2". */
void top_detail(enum top_by by, const json_t *row, struct text *out);

#define TOP_ROWS_MAX   1000
#define TOP_COUNTS_MAX 64
#define TOP_FILTER_MAX 40

struct top_row {
	char *name, *detail; /* owned */
	int64_t hits, bytes;
	bool exact;
	int64_t last; /* unix seconds; 0: never, or not known */
	double rate;  /* hits a second; negative: not known yet */
};

struct top_rows {
	int64_t at_ms;
	size_t count;
	struct top_row *row; /* owned; sorted by name when it is of the past */
};

/* A counter by verdict or reason. */
struct top_count {
	char name[24];
	double packets, rate;
};

struct top_counts {
	int64_t at_ms; /* 0: nothing yet */
	size_t count;
	struct top_count of[TOP_COUNTS_MAX];
};

struct top {
	enum top_by by;
	enum top_sort sort;
	bool held;	   /* shows what it has */
	bool help;	   /* shows the keys */
	unsigned int seen; /* seconds; 0: rows of whenever */
	size_t first;	   /* row at the top */
	char filter[TOP_FILTER_MAX];
	bool typing; /* the filter */

	json_t *status;		      /* owned; NULL: nothing yet */
	int64_t now;		      /* unix seconds */
	char trouble[CLIENT_WHY_MAX]; /* why there is no answer; "": there is */
	int64_t silent_s;	      /* since when */
	struct top_counts verdicts, reasons;
	struct top_rows rows, before;
	bool no_hits; /* hits: 0 */
};

void top_free(struct top *t);

void top_take_status(struct top *t, json_t *status); /* takes it over */
void top_take_metrics(struct top *t, const char *metrics, int64_t at_ms);
void top_take_rows(struct top *t, const json_t *json, int64_t at_ms);
/* Rows are of another kind from now on: what is there is forgotten. */
void top_forget_rows(struct top *t);
/* Puts the rows into their order. */
void top_sort_rows(struct top *t);
bool top_row_fits(const struct top *t, const struct top_row *row);
size_t top_rows_fitting(const struct top *t);

extern const char *const top_sort_words[TOP_SORT_MAX];

/* ---- top_draw.c ---- */

/* A surface of characters. put() is given clean text that fits. */
struct canvas {
	int width, height;
	void (*put)(void *arg, int x, int y, enum tint tint, bool reverse, const char *text);
	void *arg;
};

#define TOP_WIDTH_MAX 512

void top_draw(const struct top *t, const struct canvas *canvas);
/* How many rows there is room for. */
int top_room(const struct top *t, int height);

#endif
