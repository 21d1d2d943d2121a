/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The screen of 'moatctl top': what matters first, then numbers, then rows.
 */
#include <math.h>
#include <stdarg.h>
#include <time.h>

#include "cli/show.h"
#include "cli/top.h"
#include "core/units.h"
#include "core/when.h"

#define REASONS_SHOWN 6
#define LINES_ABOVE   5 /* the rows, without what is degraded */
#define LINES_BELOW   1
#define NAME_LEAST    18
#define NAME_MOST     43 /* of an IPv6 prefix */

#define DETAIL_LEAST 15

/* Columns of numbers, right-aligned. */
enum { RATE_WIDTH = 9, HITS_WIDTH = 13, BYTES_WIDTH = 8, LAST_WIDTH = 9, GAP = 2 };

/* Writes along a line, and nothing beyond its end. */
struct pen {
	const struct canvas *canvas;
	int x, y;
	bool reverse;
};

_printf_(3, 4) static void draw(struct pen *pen, enum tint tint, const char *fmt, ...)
{
	char text[TOP_WIDTH_MAX];
	struct text clean = {};
	int room = pen->canvas->width - pen->x;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	clean_text(&clean, text);
	if (clean.failed || room <= 0 || pen->y >= pen->canvas->height) {
		text_free(&clean);
		return;
	}
	if (clean.size > (size_t)room) {
		while (room > 0 && ((unsigned char)clean.data[room] & 0xc0) == 0x80)
			room--; /* no half of a character */
		clean.data[room] = '\0';
	}
	pen->canvas->put(pen->canvas->arg, pen->x, pen->y, tint, pen->reverse, clean.data);
	pen->x += (int)strlen(clean.data);
	text_free(&clean);
}

static void next_line(struct pen *pen)
{
	pen->x = 0;
	pen->y++;
}

/* ---- the head ---- */

static bool is_degraded(const struct top *t)
{
	return strcmp(answer_text(t->status, "state"), "ok") != 0;
}

static void draw_state(const struct top *t, struct pen *pen)
{
	const json_t *paused = json_object_get(t->status, "paused");
	const json_t *left = json_object_get(paused, "seconds_left");
	char duration[32];
	int64_t started;

	if (!t->status) {
		draw(pen, TINT_NONE, "moat: asking moatd");
		return;
	}
	draw(pen, TINT_BOLD, "moatd %s: ", answer_text(t->status, "version"));
	if (json_is_object(paused) && json_is_integer(left))
		draw(pen, TINT_BAD, "PAUSED, all passes for %s more",
		     units_duration_format(json_integer_value(left), duration));
	else if (json_is_object(paused))
		draw(pen, TINT_BAD, "PAUSED, all passes until 'moatctl resume'");
	else
		draw(pen, is_degraded(t) ? TINT_BAD : TINT_GOOD, "%s",
		     is_degraded(t) ? "DEGRADED" : "ok");
	if (when_parse(answer_text(t->status, "started_at"), &started) == 0 && started < t->now)
		draw(pen, TINT_NONE, ", up %s", units_duration_format(t->now - started, duration));
}

static void draw_clock(const struct top *t, const struct canvas *canvas)
{
	time_t now = t->now;
	struct tm at = {};
	char text[32];
	struct pen pen = { .canvas = canvas };

	gmtime_r(&now, &at);
	snprintf(text, sizeof(text), "%s %02d:%02d:%02d UTC", t->held ? " HELD" : "", at.tm_hour,
		 at.tm_min, at.tm_sec);
	pen.x = canvas->width - (int)strlen(text);
	if (pen.x > 0)
		draw(&pen, t->held ? TINT_WARN : TINT_NONE, "%s", text);
}

static void draw_rate(struct pen *pen, const char *name, double rate, enum tint tint)
{
	char count[SHOW_MAX];

	draw(pen, TINT_DIM, " %s ", name);
	draw(pen, rate > 0 ? tint : TINT_NONE, "%s", show_count((int64_t)llround(rate), count));
	draw(pen, TINT_NONE, " ");
}

static double rate_of(const struct top_counts *counts, const char *name)
{
	for (size_t i = 0; i < counts->count; i++)
		if (strcmp(counts->of[i].name, name) == 0)
			return counts->of[i].rate;
	return 0;
}

static void draw_verdicts(const struct top *t, struct pen *pen)
{
	static const struct {
		const char *verdict;
		enum tint tint;
	} verdicts[] = { { "drop", TINT_BAD },
			 { "pass", TINT_GOOD },
			 { "tag", TINT_WARN },
			 { "monitor", TINT_WARN } };
	double all = 0;

	draw(pen, TINT_NONE, "packets/s ");
	for (size_t i = 0; i < t->verdicts.count; i++)
		all += t->verdicts.of[i].rate;
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
		draw_rate(pen, verdicts[i].verdict, rate_of(&t->verdicts, verdicts[i].verdict),
			  verdicts[i].tint);
	draw_rate(pen, "all", all, TINT_BOLD);
}

static int compare_rates(const void *a, const void *b)
{
	const struct top_count *left = a, *right = b;

	if (left->rate != right->rate)
		return left->rate < right->rate ? 1 : -1;
	return strcmp(left->name, right->name);
}

static void draw_reasons(const struct top *t, struct pen *pen)
{
	struct top_counts reasons = t->reasons;
	size_t shown = 0;

	qsort(reasons.of, reasons.count, sizeof(*reasons.of), compare_rates);
	draw(pen, TINT_NONE, "by reason ");
	for (size_t i = 0; i < reasons.count && shown < REASONS_SHOWN; i++)
		if (reasons.of[i].rate > 0 && ++shown)
			draw_rate(pen, reasons.of[i].name, reasons.of[i].rate, TINT_NONE);
	if (!shown)
		draw(pen, TINT_DIM, t->reasons.at_ms ? " nothing comes" : "");
}

static void draw_force(const struct top *t, struct pen *pen)
{
	const json_t *coverage = json_object_get(t->status, "coverage");
	const json_t *sync = json_object_get(t->status, "sync");
	double ratio = json_number_value(json_object_get(coverage, "ratio"));
	int64_t hundredths = (int64_t)(ratio * 10000);
	double lag = json_number_value(json_object_get(sync, "lag_seconds"));
	json_t *interface;
	size_t i;

	draw(pen, TINT_NONE, "coverage ");
	draw(pen, ratio < 1 ? TINT_BAD : TINT_GOOD, "%d.%02d %%", (int)(hundredths / 100),
	     (int)(hundredths % 100));
	draw(pen, TINT_NONE, "  lag ");
	draw(pen, lag >= 1 ? TINT_BAD : TINT_GOOD, "%.1f s", lag);
	draw(pen, TINT_NONE, "  on");
	json_array_foreach(json_object_get(t->status, "interfaces"), i, interface) {
		bool attached = json_is_true(json_object_get(interface, "attached"));
		bool enforce = json_is_true(json_object_get(interface, "enforce"));

		draw(pen, TINT_NONE, "%s %s ", i ? "," : "", answer_text(interface, "name"));
		draw(pen,
		     !attached ? TINT_BAD
		     : enforce ? TINT_GOOD
			       : TINT_WARN,
		     "%s",
		     !attached ? "NOT ATTACHED"
		     : enforce ? answer_text(interface, "mode")
			       : "counting only");
	}
}

/* The line for what is wrong; false: nothing is. */
static bool draw_trouble(const struct top *t, struct pen *pen)
{
	const json_t *degraded = json_object_get(t->status, "degraded");
	const json_t *first = json_array_get(degraded, 0);
	size_t more = json_array_size(degraded) > 1 ? json_array_size(degraded) - 1 : 0;

	if (t->trouble[0]) {
		draw(pen, TINT_BAD, "no answer for %lld s: %s", (long long)t->silent_s, t->trouble);
		return true;
	}
	if (!first)
		return false;
	draw(pen, TINT_BAD, "%s", answer_text(first, "what"));
	draw(pen, TINT_NONE, ": %s", answer_text(first, "why"));
	if (more)
		draw(pen, TINT_NONE, " (and %zu more: moatctl status)", more);
	return true;
}

static bool has_trouble(const struct top *t)
{
	return t->trouble[0] || json_array_size(json_object_get(t->status, "degraded"));
}

/* ---- the rows ---- */

int top_room(const struct top *t, int height)
{
	int room = height - LINES_ABOVE - LINES_BELOW - has_trouble(t);

	return room > 0 ? room : 0;
}

/* "1,234", "12.3M": never wider than the column. */
static const char *short_number(double value, int width, char buf[static SHOW_MAX])
{
	static const char units[] = "kMGTPE";

	show_count((int64_t)llround(value), buf);
	for (const char *unit = units;
	     *unit && ((int)strlen(buf) > width || (unit > units && value >= 1000)); unit++) {
		value /= 1000;
		snprintf(buf, SHOW_MAX, "%.1f%c", value, *unit);
	}
	return buf;
}

static const char *since(const struct top *t, int64_t last, char buf[static 32])
{
	char *space;

	if (!last)
		return "";
	if (last >= t->now)
		return "now";
	units_duration_format(t->now - last, buf);
	space = strchr(buf, ' '); /* the larger of two units will do */
	if (space)
		*space = '\0';
	return buf;
}

/* What the rows have room for: why a source is listed matters more than its bytes. */
struct columns {
	int name;
	bool bytes, last;
};

static struct columns columns_of(const struct top *t, int room)
{
	struct columns c = { .name = NAME_LEAST, .bytes = true, .last = t->by != TOP_CATEGORY };

	for (size_t i = 0; i < t->rows.count; i++)
		if ((int)strlen(t->rows.row[i].name) > c.name)
			c.name = (int)strlen(t->rows.row[i].name);
	if (c.name > NAME_MOST)
		c.name = NAME_MOST;
	room -= c.name + GAP + RATE_WIDTH + GAP + HITS_WIDTH + GAP + DETAIL_LEAST;
	if (c.last && room < GAP + LAST_WIDTH)
		c.last = false;
	room -= c.last ? GAP + LAST_WIDTH : 0;
	c.bytes = room >= GAP + BYTES_WIDTH;
	return c;
}

static void draw_row(const struct top *t, const struct top_row *row, const struct columns *c,
		     struct pen *pen)
{
	char rate[SHOW_MAX], hits[SHOW_MAX], marked[SHOW_MAX + 1], bytes[SHOW_MAX], last[32];

	snprintf(marked, sizeof(marked), "%s%s", row->exact ? "" : "~",
		 short_number((double)row->hits, HITS_WIDTH - 1, hits));
	draw(pen, row->rate > 0 ? TINT_BOLD : TINT_NONE, "%-*.*s", c->name, c->name, row->name);
	draw(pen, row->rate > 0 ? TINT_BAD : TINT_DIM, "%*s", GAP + RATE_WIDTH,
	     row->rate < 0 ? "-" : short_number(row->rate, RATE_WIDTH, rate));
	draw(pen, TINT_NONE, "%*s", GAP + HITS_WIDTH, marked);
	if (c->bytes)
		draw(pen, TINT_NONE, "%*s", GAP + BYTES_WIDTH,
		     short_number((double)row->bytes, BYTES_WIDTH, bytes));
	if (c->last)
		draw(pen, TINT_NONE, "%*s", GAP + LAST_WIDTH, since(t, row->last, last));
	draw(pen, TINT_NONE, "%*s%s", GAP, "", row->detail);
}

static void draw_rows(const struct top *t, struct pen *pen)
{
	struct columns columns = columns_of(t, pen->canvas->width);
	int room = top_room(t, pen->canvas->height);
	size_t skip = t->first;

	for (size_t i = 0; i < t->rows.count && room > 0; i++) {
		if (!top_row_fits(t, &t->rows.row[i]))
			continue;
		if (skip && skip--)
			continue;
		draw_row(t, &t->rows.row[i], &columns, pen);
		next_line(pen);
		room--;
	}
	if (t->rows.count || !t->rows.at_ms)
		return;
	draw(pen, TINT_DIM, "%s",
	     t->no_hits ? "hits are not noted (hits: 0 in the configuration)"
	     : t->seen	? "no listed source was seen in this time; 'a' shows those of before"
			: "no listed source was seen");
}

static void draw_title(const struct top *t, enum top_sort sort, const char *title, int width,
		       struct pen *pen)
{
	char text[SHOW_MAX];

	snprintf(text, sizeof(text), "%s%s", t->sort == sort ? ">" : "", title);
	draw(pen, TINT_NONE, "%*s", GAP + width, text);
}

static void draw_titles(const struct top *t, struct pen *pen)
{
	struct columns columns = columns_of(t, pen->canvas->width);

	pen->reverse = true;
	draw(pen, TINT_NONE, "%-*s", columns.name, top_ways[t->by].title);
	draw_title(t, TOP_RATE, "RATE/S", RATE_WIDTH, pen);
	draw_title(t, TOP_HITS, "HITS", HITS_WIDTH, pen);
	if (columns.bytes)
		draw_title(t, TOP_BYTES, "BYTES", BYTES_WIDTH, pen);
	if (columns.last)
		draw_title(t, TOP_LAST, "LAST", LAST_WIDTH, pen);
	draw(pen, TINT_NONE, "%*s%s", GAP, "", top_ways[t->by].detail);
	draw(pen, TINT_NONE, "%*s", pen->canvas->width - pen->x, "");
	pen->reverse = false;
}

static void draw_help(struct pen *pen)
{
	static const char *const lines[] = {
		"q        ends this",
		"b        by source, prefix (/24, /48), category, feed",
		"s        sorted by rate, hits, bytes, last seen, name",
		"a        only what was seen in the last minute, or all that is remembered",
		"/        shows what holds the text that is typed; Enter keeps it, Esc takes it away",
		"p space  holds the screen still (the filter works on), or goes on",
		"arrows, Page Up and Down, Home, End",
		"h ?      this help",
		"",
		"Hits are packets that a policy decided, whatever the verdict; ~ is an estimate.",
		"By feed: what several feeds list counts for each. By category: counters, exact,",
		"since the filter was attached.",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		draw(pen, TINT_NONE, "  %s", lines[i]);
		next_line(pen);
	}
}

static void draw_keys(const struct top *t, struct pen *pen)
{
	size_t fitting = top_rows_fitting(t);
	size_t last = t->first + (size_t)top_room(t, pen->canvas->height);

	pen->x = 0;
	pen->y = pen->canvas->height - 1;
	if (t->typing) {
		draw(pen, TINT_BOLD, "show: %s_", t->filter);
		return;
	}
	if (last > fitting)
		last = fitting;
	draw(pen, TINT_NONE, "%zu-%zu of %zu  ", last ? t->first + 1 : 0, last, fitting);
	draw(pen, TINT_DIM, "q end  b by %s  s sort %s  a %s  p hold  h help  / filter%s%s",
	     top_ways[t->by].by, top_sort_words[t->sort], t->seen ? "active" : "all",
	     t->filter[0] ? ": " : "", t->filter);
}

void top_draw(const struct top *t, const struct canvas *canvas)
{
	struct pen pen = { .canvas = canvas };

	draw_state(t, &pen);
	draw_clock(t, canvas);
	next_line(&pen);
	if (draw_trouble(t, &pen))
		next_line(&pen);
	if (t->status)
		draw_force(t, &pen);
	next_line(&pen);
	draw_verdicts(t, &pen);
	next_line(&pen);
	draw_reasons(t, &pen);
	next_line(&pen);
	if (t->help) {
		draw_help(&pen);
	} else {
		draw_titles(t, &pen);
		next_line(&pen);
		draw_rows(t, &pen);
	}
	draw_keys(t, &pen);
}
