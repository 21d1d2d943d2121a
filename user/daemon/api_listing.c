/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/api_listing.h"

#include <time.h>

#include "core/units.h"
#include "core/when.h"

int64_t api_now(void)
{
	return time(NULL);
}

void listing_judge_claim(struct daemon *d, const struct claim *claim, int64_t now,
			 struct listing_fate *ret)
{
	*ret = (struct listing_fate){ .state = LISTING_LIVE, .claim = *claim };
	ret->monitored = sync_categories(d->sync)->name[claim->category][0] == CATEGORY_MONITORED;
	if (claim->expires && claim->expires <= now) {
		ret->state = LISTING_EXPIRED;
		return;
	}
	ret->cause = sync_refused(d->sync, &claim->source);
	if (ret->cause != GATE_PASSED)
		ret->state = LISTING_REFUSED;
}

void listing_judge_cause(struct daemon *d, enum gate_cause cause, const struct claim *claim,
			 int64_t now, struct listing_fate *ret)
{
	if (cause == GATE_PASSED)
		listing_judge_claim(d, claim, now, ret);
	else if (cause == GATE_ELSEWHERE)
		*ret = (struct listing_fate){
			.state = claim->expires && claim->expires <= now ? LISTING_EXPIRED
									 : LISTING_ELSEWHERE,
			.claim = *claim,
			.gate = sync_gate(d->sync),
		};
	else
		*ret = (struct listing_fate){ .state = LISTING_REFUSED, .cause = cause };
}

void listing_judge(struct daemon *d, const struct row *row, int64_t now, struct listing_fate *ret)
{
	struct claim claim = {};
	enum gate_cause cause = gate_check(sync_gate(d->sync), row, &claim);

	listing_judge_cause(d, cause, &claim, now, ret);
}

const char *listing_state_label(enum listing_state state)
{
	switch (state) {
	case LISTING_LIVE:
		return "live";
	case LISTING_EXPIRED:
		return "expired";
	case LISTING_ELSEWHERE:
		return "elsewhere";
	case LISTING_REFUSED:
		break;
	}
	return "refused";
}

void listing_emit_fate(struct emit *e, const struct listing_fate *fate)
{
	emit_text(e, "state", listing_state_label(fate->state));
	emit_text(e, "cause",
		  fate->state == LISTING_REFUSED ? gate_cause_label(fate->cause) : NULL);
	emit_bool(e, "monitored", fate->state == LISTING_LIVE && fate->monitored);
}

/* "only in eu; this host is de, us" */
static void emit_where(struct emit *e, const struct gate *gate, const char *region)
{
	char listed[REGION_TEXT];
	struct text why = {};

	text_add(&why, "only in %s; this host ",
		 region_canonical(region, listed) ? region : listed);
	for (size_t i = 0; i < gate->regions; i++)
		text_add(&why, "%s%s", i ? ", " : "is ", gate->region[i]);
	if (!gate->regions)
		text_add(&why, "carries no region");
	emit_text(e, "why", why.failed ? NULL : why.data);
	text_free(&why);
}

void listing_emit_why(struct emit *e, const char *region, const struct listing_fate *fate)
{
	if (fate->state == LISTING_ELSEWHERE)
		emit_where(e, fate->gate, region);
	else
		emit_text(e, "why",
			  fate->state == LISTING_REFUSED ? gate_cause_text(fate->cause) : NULL);
}

void listing_emit_time(struct emit *e, const char *key, int64_t unix_seconds)
{
	char text[32];

	emit_text(e, key, unix_seconds ? units_time_format(unix_seconds, text) : NULL);
}

/* Any client may have left anything in the column: what is no time is shown as it is. */
static void emit_time_text(struct emit *e, const char *key, const char *value)
{
	char text[32];
	int64_t seconds;

	if (value && when_parse_seconds(value, &seconds) == 0)
		emit_text(e, key, units_time_format(seconds, text));
	else
		emit_text(e, key, value);
}

static void emit_number_text(struct emit *e, const char *key, const char *value)
{
	uint64_t number;

	if (value && units_number(value, &number) == 0 && number <= INT32_MAX)
		emit_whole(e, key, (int64_t)number);
	else
		emit_text(e, key, value);
}

void listing_emit(struct emit *e, const struct listing *listing, const struct listing_fate *fate)
{
	emit_begin(e, NULL, '{');
	emit_text(e, "source", listing->key.source);
	emit_text(e, "category", listing->key.category);
	emit_text(e, "feed", listing->key.feed);
	emit_text(e, "reason", listing->reason);
	emit_text(e, "reference", listing->reference);
	emit_text(e, "basis", listing->basis);
	emit_text(e, "region", listing->key.region);
	emit_number_text(e, "confidence", listing->key.confidence);
	emit_time_text(e, "created_at", listing->created_at);
	emit_time_text(e, "expires_at", listing->key.expires_at);
	emit_time_text(e, "review_at", listing->review_at);
	listing_emit_fate(e, fate);
	listing_emit_why(e, listing->key.region, fate);
	emit_end(e, '}');
}

/* Whether a category only counts, and the set also has it in earnest: it is named once. */
static bool acts_too(const struct categories *categories, uint64_t set, unsigned int category)
{
	const char *name = categories->name[category];
	int real = name[0] == CATEGORY_MONITORED ? categories_find(categories, category_shown(name))
						 : -ENOENT;

	return real >= 0 && set >> real & 1;
}

void listing_emit_set(struct emit *e, const char *key, const struct categories *categories,
		      uint64_t set)
{
	emit_begin(e, key, '[');
	for (unsigned int c = 0; c < MOAT_CATEGORIES; c++)
		if (set >> c & 1 && !acts_too(categories, set, c))
			emit_text(e, NULL, category_shown(categories->name[c]));
	emit_end(e, ']');
}

void spellings_covering(const struct prefix *source, struct spellings *ret)
{
	struct prefix at;

	ret->count = 0;
	for (unsigned int len = 0; len <= source->len; len++) {
		at = prefix_shorten(source, (uint8_t)len);
		ret->text[ret->count] = prefix_format(&at, ret->room[ret->count]);
		ret->count++;
	}
	if (prefix_is_host(source)) {
		ret->text[ret->count] = prefix_format_cidr(source, ret->room[ret->count]);
		ret->count++;
	}
}

static void add_spelling(struct source_spellings *spellings, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(spellings->text); i++) {
		if (!spellings->text[i]) {
			spellings->text[i] = text;
			spellings->count++;
			return;
		}
		if (strcmp(spellings->text[i], text) == 0)
			return;
	}
}

void spellings_of(const char *source, struct source_spellings *ret)
{
	*ret = (struct source_spellings){};
	ret->known = prefix_parse(source, &ret->prefix) == 0;
	add_spelling(ret, source);
	if (!ret->known)
		return;
	add_spelling(ret, prefix_format(&ret->prefix, ret->canonical));
	add_spelling(ret, prefix_format_cidr(&ret->prefix, ret->cidr));
}

void listing_known_categories(const struct categories *categories, struct problem *ret)
{
	size_t used = 0;

	ret->text[0] = '\0';
	for (unsigned int c = 0; c < MOAT_CATEGORIES && used < sizeof(ret->text); c++) {
		const char *name = categories->name[c];

		if (!name[0] || c == MOAT_CATEGORY_SELFTEST || name[0] == CATEGORY_MONITORED)
			continue;
		used += (size_t)snprintf(ret->text + used, sizeof(ret->text) - used, " %s", name);
	}
}
