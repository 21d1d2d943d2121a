/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feed_report.h"

/* clang-format off */
static const struct {
	const char *label;
	bool forced;
} guards[] = {
	[FEED_PASSED] = { "", false },
#define X(name, label, forced) [FEED_GUARD_##name] = { label, forced },
	FEED_GUARDS(X)
#undef X
};
/* clang-format on */

const char *feed_guard_label(enum feed_guard guard)
{
	return (size_t)guard < ARRAY_SIZE(guards) ? guards[guard].label : "unknown";
}

bool feed_guard_forced(enum feed_guard guard)
{
	return (size_t)guard < ARRAY_SIZE(guards) && guards[guard].forced;
}

static int64_t whole(uint64_t number)
{
	return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

static void emit_skipped(struct emit *e, const struct feed_report *r)
{
	emit_begin(e, "skipped", '{');
	for (int i = 0; i < FEED_SKIP_MAX; i++)
		if (r->skipped[i])
			emit_whole(e, feed_skip_label(i), whole(r->skipped[i]));
	if (r->no_category)
		emit_whole(e, "category", whole(r->no_category));
	if (r->asn)
		emit_whole(e, "asn", whole(r->asn));
	if (r->wide)
		emit_whole(e, "wide", whole(r->wide));
	if (r->expired)
		emit_whole(e, "expired", whole(r->expired));
	emit_end(e, '}');
	if (r->first_skipped)
		emit_whole(e, "first_skipped_line", whole(r->first_skipped));
	else
		emit_null(e, "first_skipped_line");
}

static void emit_overlap(struct emit *e, const struct feed_report *r)
{
	emit_begin(e, "overlap", '{');
	emit_whole(e, "never_block", whole(r->never_block));
	emit_begin(e, "feeds", '{');
	for (size_t i = 0; i < r->overlaps; i++)
		emit_whole(e, r->overlap[i].feed, whole(r->overlap[i].sources));
	emit_end(e, '}');
	emit_end(e, '}');
}

const char *feed_hold_label(uint64_t hold)
{
	static const char *const labels[] = {
		[FEED_HELD_BY_GUARD] = "guard",
		[FEED_HELD_BY_HAND] = "hand",
		[FEED_HELD_BY_MODE] = "mode",
	};

	return hold < ARRAY_SIZE(labels) ? labels[hold] : NULL;
}

static void emit_hits(struct emit *e, const struct radius_estimate *radius)
{
	char source[PREFIX_TEXT_MAX];

	emit_real(e, "share", radius->share);
	emit_real(e, "at_most", radius->at_most);
	emit_whole(e, "samples", whole(radius->samples));
	emit_whole(e, "seconds", radius->seconds);
	emit_whole(e, "hit_sources", whole(radius->hit_sources));
	emit_begin(e, "top", '[');
	for (size_t i = 0; i < radius->tops; i++) {
		emit_begin(e, NULL, '{');
		emit_text(e, "source", prefix_format(&radius->top[i].source, source));
		emit_real(e, "share", radius->top[i].share);
		emit_end(e, '}');
	}
	emit_end(e, ']');
}

void feed_radius_emit(struct emit *e, const struct radius_estimate *radius)
{
	char text[RADIUS_TEXT];

	emit_begin(e, "radius", '{');
	emit_whole(e, "sources", whole(radius->sources));
	emit_bool(e, "judged", radius->judged);
	emit_text(e, "text", radius_text(radius, text));
	if (radius->judged)
		emit_hits(e, radius);
	emit_end(e, '}');
}

void feed_report_emit_asns(struct emit *e, uint64_t asns, uint64_t found, uint64_t prefixes,
			   bool tables)
{
	emit_begin(e, "asn", '{');
	emit_whole(e, "numbers", whole(asns));
	emit_whole(e, "expanded", whole(found));
	emit_whole(e, "prefixes", whole(prefixes));
	emit_bool(e, "asn_table", tables);
	emit_end(e, '}');
}

void feed_report_emit(struct emit *e, const struct feed_report *r)
{
	emit_text(e, "format", feed_format_label(r->format));
	emit_bool(e, "applied", r->applied);
	emit_bool(e, "complete", r->complete);
	emit_bool(e, "delta", r->delta);
	emit_bool(e, "forced", r->forced);
	emit_text(e, "cause", r->cause[0] ? r->cause : NULL);
	emit_text(e, "why", r->cause[0] ? r->why.text : NULL);
	emit_whole(e, "before", whole(r->before));
	emit_whole(e, "entries", whole(r->entries));
	emit_whole(e, "adds", whole(r->adds));
	emit_whole(e, "removes", whole(r->removes));
	emit_whole(e, "refreshes", whole(r->refreshes));
	emit_whole(e, "unchanged", whole(r->unchanged));
	emit_whole(e, "lingering", whole(r->lingering));
	emit_whole(e, "duplicates", whole(r->duplicates));
	emit_whole(e, "masked", whole(r->masked));
	emit_begin(e, "refused", '{');
	for (int cause = GATE_PASSED + 1; cause < GATE_CAUSE_MAX; cause++)
		if (r->refused[cause])
			emit_whole(e, gate_cause_label(cause), whole(r->refused[cause]));
	emit_end(e, '}');
	emit_skipped(e, r);
	if (r->asns)
		feed_report_emit_asns(e, r->asns, r->asns_found, r->asn_prefixes, r->tables);
	emit_begin(e, "covers", '{');
	emit_whole(e, "ipv4_addresses", whole(r->addresses));
	emit_whole(e, "ipv6_nets_64", whole(r->nets));
	emit_end(e, '}');
	emit_overlap(e, r);
	feed_radius_emit(e, &r->radius);
	emit_text(e, "held",
		  r->monitor && r->hold == FEED_HELD_BY_MODE ? NULL : feed_hold_label(r->hold));
	emit_text(e, "held_why", r->hold ? r->hold_why : NULL);
}
