/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/emit.h"
#include "daemon/labels.h"
#include "daemon/rates_state.h"

static const unsigned int steps[] = { 1, 10, 60, 300, 1800 };

static int64_t whole(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* The members that say which series it is, of the object that is open. */
static void emit_names(struct emit *e, const struct series *s)
{
	emit_text(e, "interface", s->rest ? NULL : s->iface);
	emit_text(e, "verdict", label_verdict(s->verdict));
	emit_text(e, "reason", s->rest ? NULL : label_reason(s->reason));
	emit_text(e, "category", s->category[0] ? s->category : NULL);
}

static void emit_totals(struct emit *e, const struct series *s)
{
	emit_whole(e, "packets_total", whole(s->packets));
	emit_whole(e, "bytes_total", whole(s->bytes));
}

/* ---- live ---- */

void rates_live(const struct rates *r, struct text *out)
{
	struct emit e = { .out = out };

	emit_begin(&e, NULL, '{');
	emit_whole(&e, "time", r->second - r->span + r->to_unix);
	emit_whole(&e, "seconds", r->span);
	emit_begin(&e, "series", '[');
	for (size_t i = 0; i < r->count; i++) {
		const struct series *s = &r->series[i];

		if (!s->new_packets || !r->span)
			continue;
		emit_begin(&e, NULL, '{');
		emit_names(&e, s);
		emit_real(&e, "packets", (double)s->new_packets / r->span);
		emit_real(&e, "bytes", (double)s->new_bytes / r->span);
		emit_totals(&e, s);
		emit_end(&e, '}');
	}
	emit_end(&e, ']');
	emit_end(&e, '}');
}

/* ---- history ---- */

/* Which steps an answer has. */
struct window {
	int64_t first; /* second, a multiple of step */
	unsigned int step;
	unsigned int points;
};

unsigned int rates_step(int64_t seconds)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (seconds <= history_reach(steps[i]) && seconds / steps[i] <= RATES_POINTS_PRESET)
			return steps[i];
	return steps[ARRAY_SIZE(steps) - 1];
}

static bool is_step(unsigned int step)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (steps[i] == step)
			return true;
	return false;
}

/* Whole steps up to the last second that is over, none before the first look. */
static struct window window_of(const struct rates *r, int64_t seconds, unsigned int step)
{
	int64_t first = r->second - seconds;

	if (first < r->first)
		first = r->first;
	first -= first % step;
	return (struct window){
		.first = first,
		.step = step,
		.points = first < r->second ? (unsigned int)((r->second - first - 1) / step + 1)
					    : 0,
	};
}

/* As much of it as anybody can tell on a chart. */
static void add_number(struct text *out, bool more, double value)
{
	const char *comma = more ? "," : "";

	if (value >= 1000 || value == (double)(int64_t)value)
		text_add(out, "%s%.0f", comma, value);
	else
		text_add(out, "%s%.4g", comma, value);
}

static void emit_column(struct emit *e, const char *key, const struct history_point *point,
			unsigned int points, bool bytes)
{
	emit_begin(e, key, '[');
	for (unsigned int i = 0; i < points; i++) {
		if (point[i].seconds)
			add_number(e->out, i, bytes ? point[i].bytes : point[i].packets);
		else
			text_add(e->out, i ? ",null" : "null");
	}
	emit_end(e, ']');
}

static void emit_series(const struct rates *r, const struct series *s, const struct window *w,
			struct emit *e)
{
	struct history_point point[RATES_POINTS_MAX + 1]; /* the first may be cut */

	for (unsigned int i = 0; i < w->points; i++)
		point[i] = history_read(r->history, s->history, w->first + (int64_t)i * w->step,
					w->step);
	emit_begin(e, NULL, '{');
	emit_names(e, s);
	emit_totals(e, s);
	emit_column(e, "packets", point, w->points, false);
	emit_column(e, "bytes", point, w->points, true);
	emit_end(e, '}');
}

static void encode(const struct rates *r, const struct window *w, struct text *out)
{
	struct emit e = { .out = out };

	emit_begin(&e, NULL, '{');
	emit_whole(&e, "step", w->step);
	emit_whole(&e, "until", r->second + r->to_unix);
	emit_begin(&e, "times", '[');
	for (unsigned int i = 0; i < w->points; i++)
		emit_whole(&e, NULL, w->first + (int64_t)i * w->step + r->to_unix);
	emit_end(&e, ']');
	emit_begin(&e, "series", '[');
	for (size_t i = 0; i < r->count; i++)
		emit_series(r, &r->series[i], w, &e);
	emit_end(&e, ']');
	emit_end(&e, '}');
	text_add(out, "\n");
}

int rates_history(struct rates *r, int64_t seconds, unsigned int step, const struct text **ret)
{
	struct rates_answer *a;
	struct window w;

	if (!is_step(step) || seconds < 1 || seconds > history_reach(step) ||
	    seconds / step > RATES_POINTS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < RATES_CACHE; i++) {
		a = &r->answer[i];
		if (a->text.size && a->at == r->second && a->seconds == seconds &&
		    a->step == step) {
			*ret = &a->text;
			return 0;
		}
	}
	a = &r->answer[r->oldest];
	r->oldest = (r->oldest + 1) % RATES_CACHE;
	text_free(&a->text);
	*a = (struct rates_answer){ .seconds = seconds, .step = step, .at = r->second };
	w = window_of(r, seconds, step);
	encode(r, &w, &a->text);
	if (a->text.failed) {
		text_free(&a->text);
		a->text = (struct text){};
		return -ENOMEM;
	}
	*ret = &a->text;
	return 0;
}
