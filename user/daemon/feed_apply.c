/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feed_apply.h"

#include "core/units.h"
#include "core/when.h"
#include "daemon/feed_guard.h"
#include "daemon/feed_radius.h"
#include "daemon/feed_linger.h"
#include "daemon/feed_order.h"
#include "daemon/feed_overlap.h"
#include "daemon/feed_set.h"
#include "daemon/notify.h"

#define WATCHDOG_ROWS 50000 /* written between two signs of life */

/* Listings that the new list does not have, as text: what a client left may be anything. */
struct ends {
	char *text; /* owned: source, category, each with NUL */
	size_t size, room;
	size_t count;
	size_t at; /* when handing out */
};

struct feed_apply {
	struct feed_rules rules; /* owned */
	int64_t fetched;
	struct categories categories; /* that there were when it began */
	struct feed_set *set;	      /* owned */
	struct ends ends;
	struct radius *radius; /* owned; NULL: not asked */
	struct linger linger;
	struct overlap overlap;
	size_t no_category, asn, masked;
	int error;		 /* of feed_apply_rows() */
	struct feed_order order; /* feed_apply_write() */
	size_t at, handed;	 /* of it: the next entry */
	int64_t now;		 /* feed_apply_write() */
	char source[PREFIX_TEXT_MAX];
};

int feed_apply_new(struct feed_rules *rules, const struct gate *gate, int64_t fetched,
		   struct feed_apply **ret)
{
	_cleanup_(feed_apply_freep) struct feed_apply *a = calloc(1, sizeof(*a));

	if (!a || feed_set_new(&a->set))
		return -ENOMEM;
	a->rules = *rules;
	*rules = (struct feed_rules){};
	a->fetched = fetched;
	a->linger.seconds = a->rules.linger;
	a->categories = *gate->categories;
	*ret = take_ptr(a);
	return 0;
}

struct feed_apply *feed_apply_free(struct feed_apply *a)
{
	if (!a)
		return NULL;
	feed_rules_free(&a->rules);
	feed_set_free(a->set);
	radius_free(a->radius);
	linger_free(&a->linger);
	overlap_free(&a->overlap);
	feed_order_free(&a->order);
	free(a->ends.text);
	free(a);
	return NULL;
}

/* ---- rows ---- */

const char *feed_apply_category(const struct feed_apply *a, const char *theirs)
{
	for (size_t i = 0; i < a->rules.mappings; i++)
		if (!strcmp(a->rules.mapping[i].from, theirs))
			return a->rules.mapping[i].to;
	if (a->rules.category[0])
		return a->rules.category;
	/* A list does not protect anybody by calling itself so. */
	if (!a->rules.mappings && categories_find(&a->categories, theirs) > MOAT_CATEGORY_ALLOW)
		return theirs;
	return NULL;
}

static int take_row(struct feed_apply *a, const struct feed_row *row)
{
	struct feed_row copy;
	const char *name;
	int category;

	if (row->kind == FEED_ROW_ASN) {
		a->asn++;
		return 0;
	}
	name = feed_apply_category(a, row->category);
	if (!name) {
		a->no_category++;
		return 0;
	}
	category = feed_set_category(a->set, name);
	if (category < 0)
		return category;
	a->masked += row->masked;
	if (row->confidence != FEED_NO_CONFIDENCE || a->rules.confidence < 0)
		return feed_set_add(a->set, row, (uint8_t)category, row->expires);
	copy = *row;
	copy.confidence = (uint8_t)a->rules.confidence;
	return feed_set_add(a->set, &copy, (uint8_t)category, row->expires);
}

int feed_apply_rows(struct feed_apply *a, const struct feed_row *row, size_t count)
{
	for (size_t i = 0; i < count && !a->error; i++)
		a->error = take_row(a, &row[i]);
	return a->error;
}

/* ---- against the database ---- */

struct compare {
	struct feed_apply *a;
	const struct feed_judge *judge;
	struct feed_report *report;
};

static int note_end(struct ends *ends, const char *source, const char *category)
{
	size_t a = strlen(source) + 1, b = strlen(category) + 1;
	size_t room = ends->room ? ends->room : 4096;
	char *grown;

	while (room < ends->size + a + b)
		room *= 2;
	if (room != ends->room) {
		grown = realloc(ends->text, room);
		if (!grown)
			return -ENOMEM;
		ends->text = grown;
		ends->room = room;
	}
	memcpy(ends->text + ends->size, source, a);
	memcpy(ends->text + ends->size + a, category, b);
	ends->size += a + b;
	ends->count++;
	return 0;
}

int feed_apply_end(struct feed_apply *a, const char *source, const char *category)
{
	return note_end(&a->ends, source, category);
}

static bool same_text(const char *have, const char *want)
{
	return !strcmp(have ?: "", want);
}

static bool same_expiry(const struct feed_apply *a, const struct feed_judge *judge,
			const struct feed_entry *entry, const char *text)
{
	int64_t have = 0, slack = a->rules.ttl / FEED_TTL_SLACK;

	if (text && (when_parse_seconds(text, &have) || !have))
		return false;
	if (!entry->expires || !have)
		return have == entry->expires;
	if (entry->own_expiry)
		return llabs(have - entry->expires) <=
		       (judge->summary->format == FEED_CROWDSEC ? FEED_END_SLACK : 0);
	return have >= entry->expires - slack && have <= judge->now + a->rules.ttl;
}

/* What the feed says of all its rows, as store_feed_apply() would leave it. */
static bool same_claim(const struct feed_rules *rules, const struct listing *have)
{
	return same_text(have->key.region, rules->region ?: "") &&
	       (!rules->basis || same_text(have->basis, rules->basis)) &&
	       (!rules->review || have->review_at);
}

static bool same_row(const struct feed_apply *a, const struct feed_judge *judge,
		     const struct feed_entry *entry, const struct listing *have)
{
	char confidence[8] = "";

	if (entry->confidence != FEED_NO_CONFIDENCE)
		snprintf(confidence, sizeof(confidence), "%u", entry->confidence);
	return same_expiry(a, judge, entry, have->key.expires_at) &&
	       same_text(have->key.confidence, confidence) &&
	       same_text(have->reference, feed_set_reference(a->set, entry)) &&
	       same_text(have->reason, feed_set_reason(a->set, entry)) &&
	       same_claim(&a->rules, have);
}

/* The entry that a row of the database stands for, however it is spelt, or NULL. */
static struct feed_entry *entry_about(struct feed_apply *a, const struct row *row)
{
	struct prefix source;
	int category;

	if (!row->source || !row->category || strlen(row->category) >= MOAT_CATEGORY_NAME ||
	    prefix_parse(row->source, &source))
		return NULL;
	category = feed_set_category(a->set, row->category);
	return category < 0 ? NULL : feed_set_find(a->set, &source, category);
}

/* The same, spelt as it will be written: another spelling is another row. */
static struct feed_entry *entry_of(struct feed_apply *a, const struct row *row)
{
	struct feed_entry *entry = entry_about(a, row);
	char text[PREFIX_TEXT_MAX];

	return entry && !strcmp(prefix_format(&entry->source, text), row->source) ? entry : NULL;
}

/*
 * A row that the new list does not have. What the feed itself ends, and another
 * spelling of what it has, goes at once; the rest may linger.
 */
static int leave_own(struct compare *c, const struct listing *listing)
{
	struct feed_apply *a = c->a;
	int lingers = 0;

	if (!entry_about(a, &listing->key))
		lingers = linger_take(&a->linger, listing, c->judge->now);
	return lingers ? (lingers < 0 ? lingers : 0)
		       : note_end(&a->ends, listing->key.source, listing->key.category);
}

/* What a list of what changed does not name goes on, and counts if all of the feed is asked for. */
static int keep_own(const struct compare *c, const struct row *row)
{
	struct prefix source;

	if (!c->a->radius || !c->judge->held || !row->source || !row->category ||
	    prefix_parse(row->source, &source))
		return 0;
	return radius_add(c->a->radius, row->category, &source);
}

static int compare_own(struct compare *c, const struct listing *listing)
{
	struct feed_apply *a = c->a;
	struct feed_entry *entry = entry_of(a, &listing->key);
	const char *expires = listing->key.expires_at;
	int64_t end = 0;
	bool lapsed = expires && !when_parse_seconds(expires, &end) && end <= c->judge->now;

	c->report->before++;
	c->report->live += !lapsed;
	if (entry && !entry->ends) {
		entry->fate = same_row(a, c->judge, entry, listing) ? FEED_SAME : FEED_REFRESHED;
		entry->lapsed = lapsed;
		return 0;
	}
	if (!entry && c->report->delta)
		return keep_own(c, &listing->key);
	if (!listing->key.source || !listing->key.category)
		return 0;
	return leave_own(c, listing);
}

static int compare_row(void *arg, const struct listing *listing)
{
	struct compare *c = arg;

	if (listing->key.feed && !strcmp(listing->key.feed, c->a->rules.feed))
		return compare_own(c, listing);
	if (c->judge->overlaps)
		return overlap_note(&c->a->overlap, &listing->key, c->judge->now, c->report);
	return 0;
}

/* ---- what the entries come to ---- */

/* A list of what changed leaves ends to the entries; any other must be confirmed within the ttl. */
static void set_expiry(const struct feed_apply *a, bool delta, struct feed_entry *entry)
{
	int64_t latest = a->rules.ttl ? a->fetched + a->rules.ttl : 0;

	entry->own_expiry = entry->expires && (delta || !latest || entry->expires < latest);
	if (!entry->own_expiry)
		entry->expires = latest;
}

static enum gate_role role_of(const struct gate *gate, const char *category)
{
	int number = categories_find(gate->categories, category);

	return number < 0 ? GATE_BLOCKS : gate_role(gate, (uint8_t)number);
}

static void judge_entries(struct feed_apply *a, const struct feed_judge *judge,
			  struct feed_report *r)
{
	const struct gate *gate = judge->gate;
	enum gate_role role = GATE_BLOCKS;
	int of = -1; /* category; entries of one mostly follow each other */

	for (size_t i = 0; i < feed_set_count(a->set); i++) {
		struct feed_entry *entry = feed_set_at(a->set, i);

		if (of != entry->category)
			role = role_of(gate, feed_set_category_name(a->set, entry->category));
		of = entry->category;

		set_expiry(a, r->delta, entry);
		if (!entry->ends && entry->expires && entry->expires <= judge->now) {
			entry->ends = true;
			r->expired++;
		}
		entry->cause = gate_check_prefix(gate, &entry->source, role);
		entry->wide = role == GATE_BLOCKS && !entry->cause &&
			      entry->source.len < a->rules.limits.wide[entry->source.family];
	}
}

/* Wide prefixes that are new stay out, unless somebody insists and they end by themselves. */
static void leave_out_wide(struct feed_apply *a, const struct feed_judge *judge,
			   struct feed_report *r)
{
	for (size_t i = 0; i < feed_set_count(a->set); i++) {
		struct feed_entry *entry = feed_set_at(a->set, i);

		if (!entry->wide || entry->ends || entry->fate != FEED_NEW ||
		    (judge->force && entry->expires))
			continue;
		entry->ends = true;
		r->wide++;
	}
}

static void count_entries(struct feed_apply *a, struct feed_report *r)
{
	for (size_t i = 0; i < feed_set_count(a->set); i++) {
		const struct feed_entry *entry = feed_set_at(a->set, i);

		if (entry->ends)
			continue;
		r->entries++;
		r->adds += entry->fate == FEED_NEW;
		r->unchanged += entry->fate == FEED_SAME;
		r->refreshes += entry->fate == FEED_REFRESHED;
		if (entry->cause)
			r->refused[entry->cause]++;
		r->never_block += overlap_protected(&a->overlap, &entry->source);
	}
	r->removes = a->ends.count;
	r->lingering = a->linger.count;
	if (r->delta) /* the feed also has what this answer does not name */
		r->entries = r->before + r->adds - r->removes;
}

/* ---- guards ---- */

static void stand_against(struct feed_report *r, const char *label)
{
	snprintf(r->cause, sizeof(r->cause), "%s", label);
}

static void ask_guards(struct feed_apply *a, const struct feed_judge *judge, struct feed_report *r)
{
	struct problem why = {};
	enum feed_guard guard = feed_guard_ask(&a->rules, judge, r, &why);

	if (!guard)
		return;
	if (judge->force && feed_guard_forced(guard)) {
		r->forced = true;
		return;
	}
	stand_against(r, feed_guard_label(guard));
	r->why = why;
}

/* A feed in mode monitor hits nobody. Once that mode is over, what it lists is to be judged. */
static int ask_radius(struct feed_apply *a, const struct feed_judge *judge, struct feed_report *r)
{
	int err = 0;

	if (!a->radius) {
		if (judge->monitor && judge->held != FEED_HELD_BY_HAND)
			r->hold = FEED_HELD_BY_MODE;
		return 0;
	}
	if (judge->trusted)
		radius_trust(a->radius);
	err = feed_radius_add(a->radius, a->set, judge->held);
	err = err ?: feed_radius_judge(a->radius, &a->rules.limits, judge, r);
	if (!err)
		return 0;
	stand_against(r, feed_guard_label(FEED_GUARD_TOO_MANY));
	return problem_set(&r->why, err, "out of memory");
}

/* ---- the whole ---- */

static void report_summary(const struct feed_apply *a, const struct feed_summary *summary,
			   struct feed_report *r)
{
	*r = (struct feed_report){
		.format = summary->format,
		.complete = summary->complete,
		.rows = summary->entries,
		.no_category = a->no_category,
		.asn = a->asn,
		.asns = summary->asns,
		.asns_found = summary->asns_found,
		.asn_prefixes = summary->asn_prefixes,
		.masked = a->masked,
		.first_skipped = summary->first_skipped,
	};
	memcpy(r->skipped, summary->skipped, sizeof(r->skipped));
}

static int judge_difference(struct feed_apply *a, const struct feed_judge *judge,
			    struct feed_report *r)
{
	_cleanup_(cover_free) struct cover cover = {};
	struct compare compare = { .a = a, .judge = judge, .report = r };
	int err;

	feed_set_sort(a->set);
	r->duplicates = feed_set_duplicates(a->set);
	judge_entries(a, judge, r);
	err = cover_make(a->set, &cover);
	if (err)
		return problem_set(&r->why, err, "out of memory");
	a->overlap = (struct overlap){ .gate = judge->gate, .cover = &cover };
	err = store_feed_rows(judge->store, judge->overlaps ? NULL : a->rules.feed, compare_row,
			      &compare, &r->why);
	if (err)
		return err;
	overlap_ready(&a->overlap);
	leave_out_wide(a, judge, r);
	count_entries(a, r);
	a->overlap.cover = NULL; /* it was that of what the list might have come to */
	cover_free(&cover);
	err = cover_make(a->set, &cover);
	if (err)
		return problem_set(&r->why, err, "out of memory");
	r->addresses = cover_addresses(&cover);
	r->nets = cover_nets(&cover);
	return 0;
}

int feed_apply_judge(struct feed_apply *a, const struct feed_judge *judge, struct feed_report *ret)
{
	const struct feed_summary *summary = judge->summary;
	int err;

	report_summary(a, summary, ret);
	ret->tables = judge->tables;
	ret->delta = judge->stream && summary->format == FEED_CROWDSEC;
	if (a->error) {
		stand_against(ret, feed_guard_label(FEED_GUARD_TOO_MANY));
		return problem_set(&ret->why, a->error,
				   "more than %d listings, or out of memory (%s)", FEED_SET_MAX,
				   strerror(-a->error));
	}
	/* A list that proves to be empty on purpose is the guards' business, not a fault. */
	if (summary->fault && !(summary->fault == FEED_FAULT_NO_ENTRIES && summary->may_be_empty)) {
		stand_against(ret, feed_fault_label(summary->fault));
		problem_set(&ret->why, 0, "%s%s%s", feed_fault_text(summary->fault),
			    summary->detail[0] ? ": " : "", summary->detail);
		return 0;
	}
	ret->hold = judge->held;
	ret->monitor = judge->monitor;
	if (judge->config && !judge->monitor && radius_new(judge->config, &a->radius))
		err = problem_set(&ret->why, -ENOMEM, "out of memory");
	else
		err = judge_difference(a, judge, ret);
	if (err) {
		stand_against(ret, feed_guard_label(FEED_GUARD_DATABASE));
		return err;
	}
	ask_guards(a, judge, ret);
	return ask_radius(a, judge, ret);
}

/* ---- writing ---- */

static void give_entry(struct feed_apply *a, const struct feed_entry *entry,
		       struct listing_input *ret)
{
	const char *reference = feed_set_reference(a->set, entry);
	const char *reason = feed_set_reason(a->set, entry);

	*ret = (struct listing_input){
		.source = prefix_format(&entry->source, a->source),
		.category = feed_set_category_name(a->set, entry->category),
		.reference = reference[0] ? reference : NULL,
		.reason = reason[0] ? reason : NULL,
		.basis = a->rules.basis,
		.region = a->rules.region,
		.review_at = a->rules.review ? a->now + a->rules.review : 0,
		.expires_at = entry->expires,
		.confidence = entry->confidence == FEED_NO_CONFIDENCE ? -1 : entry->confidence,
	};
}

/* Adds before removes: a reader of the change log never sees a hole. */
static int next_change(void *arg, struct listing_input *ret, bool *ret_remove)
{
	struct feed_apply *a = arg;
	struct ends *ends = &a->ends;

	if (++a->handed % WATCHDOG_ROWS == 0)
		notify_send("WATCHDOG=1");
	*ret_remove = false;
	if (a->at < a->order.count) {
		give_entry(a, feed_set_at(a->set, feed_order_at(&a->order, a->at++)), ret);
		return 1;
	}
	if (linger_next(&a->linger, ret))
		return 1;
	if (ends->at == ends->size)
		return 0;
	*ret_remove = true;
	*ret = (struct listing_input){ .source = ends->text + ends->at };
	ends->at += strlen(ret->source) + 1;
	ret->category = ends->text + ends->at;
	ends->at += strlen(ret->category) + 1;
	return 1;
}

static void begin_changes(void *arg)
{
	struct feed_apply *a = arg;

	a->at = a->ends.at = a->linger.at = 0;
}

int feed_apply_write(struct feed_apply *a, struct store *store, const struct actor *actor,
		     int64_t now, const struct feed_state *state, struct feed_report *report,
		     struct problem *why)
{
	char detail[256];
	int err;

	if (!report->adds && !report->refreshes && !report->removes && !a->linger.moves) {
		err = store_feed_save(store, state, why);
	} else {
		snprintf(detail, sizeof(detail),
			 "%s: %zu added, %zu ended, %zu refreshed, %zu unchanged, %zu lingering%s",
			 a->rules.feed, report->adds, report->removes, report->refreshes,
			 report->unchanged, report->lingering, report->forced ? ", forced" : "");
		a->now = now;
		feed_order_free(&a->order);
		if (feed_order_make(a->set, &a->order))
			return problem_set(why, -ENOMEM, "out of memory");
		err = store_feed_apply(store,
				       &(struct feed_difference){ .feed = a->rules.feed,
								  .next = next_change,
								  .rewind = begin_changes,
								  .arg = a,
								  .actor = actor,
								  .now = now,
								  .detail = detail,
								  .state = *state },
				       why);
	}
	report->applied = !err;
	return err;
}
