/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/sync_private.h"

#include "core/log.h"
#include "core/prefix_sort.h"
#include "daemon/notify.h"

#define LOAD_PROGRESS 1000000 /* rows between lines of progress */
/*
 * Claims, and entries of the maps, that go to the model at a time, in the order
 * of their sources: one by one in any order each would cost a way through all
 * of the tree. More cost less time and more memory.
 */
#define LOAD_SORTED 4000000

/* An entry of the maps; of those that are kept, no listing wants any. */
struct entry {
	struct prefix source;
	struct installed was;
};

struct load {
	struct sync *s;
	int64_t now;
	struct problem *why;
	size_t rows;

	struct claim *claim; /* owned; not yet in the model */
	size_t claims, claim_room;
	struct entry *entry; /* owned; orphans, then those not yet looked at */
	size_t orphans, entries, entry_room;
};

/* Makes room for one more of what is sorted. */
static int load_reserve(void **items, size_t *room, size_t count, size_t size)
{
	size_t more = *room ? *room * 2 : 1024;
	void *grown;

	if (count < *room)
		return 0;
	if (count < LOAD_SORTED && more > LOAD_SORTED)
		more = LOAD_SORTED;
	grown = reallocarray(*items, more, size);
	if (!grown)
		return -ENOMEM;
	*items = grown;
	*room = more;
	return 0;
}

static bool is_cidr(const struct prefix *source, const char *text)
{
	return prefix_is_host(source) && strchr(text, '/');
}

const char *sync_claim_text(const struct sync *s, const struct claim *claim,
			    char buf[static PREFIX_TEXT_MAX])
{
	return feeds_is_cidr(s->feeds, claim->feed) ? prefix_format_cidr(&claim->source, buf)
						    : prefix_format(&claim->source, buf);
}

int sync_drop_row(struct sync *s, const struct row *row)
{
	struct claim claim = {};
	char text[PREFIX_TEXT_MAX];
	int category, feed;

	if (!row->source || !row->category || !row->feed ||
	    prefix_parse(row->source, &claim.source) < 0)
		return 0;
	/* Of names that moat uses for itself nothing of a row is in the model. */
	if (!gate_name_ok(row->category, MOAT_CATEGORY_NAME) ||
	    !gate_name_ok(row->feed, CONFIG_FEED_NAME))
		return 0;
	category = categories_find(&s->rules->categories, row->category);
	feed = feeds_find(s->feeds, row->feed, is_cidr(&claim.source, row->source));
	if (category < 0 || feed < 0)
		return 0;
	/* The claim of a spelling that passes is not that of one the gate refuses. */
	claim.feed = (uint16_t)feed;
	if (strcmp(sync_claim_text(s, &claim, text), row->source) != 0)
		return 0;
	return model_drop(s->model, &claim.source,
			  gate_category(&s->gate, (uint8_t)category, row->feed), (uint16_t)feed);
}

int sync_forget_row(struct sync *s, const struct row *row)
{
	refusals_clear(s->refusals, row->source, row->category, row->feed);
	elsewhere_clear(s->elsewhere, row);
	return sync_drop_row(s, row);
}

/* A row that passed before may have become one that does not. */
static int refuse_row(struct sync *s, const struct row *row, enum gate_cause cause,
		      struct problem *why)
{
	elsewhere_clear(s->elsewhere, row);
	sync_drop_row(s, row);
	if (refusals_set(s->refusals, row->source, row->category, row->feed, cause) < 0)
		return problem_set(why, -ENOMEM, "out of memory");
	return 0;
}

/* Not wanted and not refused: known, so that it can be counted. */
static int leave_row(struct sync *s, const struct row *row, const struct claim *claim, int64_t now,
		     struct problem *why)
{
	int category = categories_find(&s->rules->categories, row->category);
	int feed = feeds_number(s->feeds, row->feed, false);
	int r;

	if (feed == -ENOSPC)
		return refuse_row(s, row, GATE_FEEDS_FULL, why);
	sync_forget_row(s, row);
	if (feed < 0 || category < 0)
		return problem_set(why, -ENOMEM, "out of memory");
	if (claim->expires && claim->expires <= now)
		return 0;
	r = elsewhere_set(s->elsewhere, row, (uint16_t)feed, (uint8_t)category);
	return r < 0 ? problem_set(why, r, "out of memory") : r;
}

/*
 * What a row says. ret_claims: whether it is a claim for the model, live or
 * over; else all is done. 1 if that changed something.
 */
static int judge_row(struct sync *s, const struct row *row, int64_t now, struct claim *ret,
		     bool *ret_claims, struct problem *why)
{
	enum gate_cause cause = gate_check(&s->gate, row, ret);
	int feed;

	*ret_claims = false;
	if (cause == GATE_ELSEWHERE)
		return leave_row(s, row, ret, now, why);
	if (cause != GATE_PASSED)
		return refuse_row(s, row, cause, why);
	feed = feeds_number(s->feeds, row->feed, is_cidr(&ret->source, row->source));
	if (feed == -ENOSPC)
		return refuse_row(s, row, GATE_FEEDS_FULL, why);
	if (feed < 0 || sync_group_feeds(s) < 0)
		return problem_set(why, -ENOMEM, "out of memory");
	ret->feed = (uint16_t)feed;

	elsewhere_clear(s->elsewhere, row);
	cause = refusals_find(s->refusals, row->source, row->category, row->feed);
	if (!sync_cause_is_room(cause)) /* that one ends with the claim, or with room */
		refusals_clear(s->refusals, row->source, row->category, row->feed);
	*ret_claims = true;
	return 0;
}

static bool claim_is_over(const struct claim *claim, int64_t now)
{
	return claim->expires && claim->expires <= now;
}

int sync_take_row(struct sync *s, const struct row *row, int64_t now, struct problem *why)
{
	struct claim claim = {};
	bool claims;
	int r = judge_row(s, row, now, &claim, &claims, why);

	if (r < 0 || !claims)
		return r;
	if (claim_is_over(&claim, now)) {
		model_drop(s->model, &claim.source, claim.category, claim.feed);
		return 0;
	}
	r = model_put(s->model, &claim);
	return r < 0 ? problem_set(why, r, "out of memory") : r;
}

static int load_put_claims(struct load *load)
{
	prefix_sort(load->claim, load->claims, sizeof(*load->claim));
	for (size_t i = 0; i < load->claims; i++) {
		int r = model_put(load->s->model, &load->claim[i]);

		if (r < 0)
			return problem_set(load->why, r, "out of memory");
	}
	load->claims = 0;
	return 0;
}

static int load_claim(struct load *load, const struct claim *claim)
{
	void *claims = load->claim;
	int r = load_reserve(&claims, &load->claim_room, load->claims, sizeof(*claim));

	load->claim = claims;
	if (r < 0)
		return problem_set(load->why, r, "out of memory");
	load->claim[load->claims++] = *claim;
	return load->claims < LOAD_SORTED ? 0 : load_put_claims(load);
}

static int load_row(void *arg, const struct listing *listing)
{
	struct load *load = arg;
	struct claim claim = {};
	bool claims;
	int r = judge_row(load->s, &listing->key, load->now, &claim, &claims, load->why);

	if (r >= 0 && claims && !claim_is_over(&claim, load->now))
		r = load_claim(load, &claim);
	if (r >= 0 && ++load->rows % LOAD_PROGRESS == 0) {
		log_info("database: %zu listings read", load->rows);
		notify_send("WATCHDOG=1");
	}
	return r < 0 ? r : 0;
}

/* ---- what the maps hold already ---- */

static int load_classes(struct sync *s)
{
	struct moat_class class;

	for (uint32_t number = 1; number < MOAT_CLASSES; number++) {
		int r = tables_get_class(s->tables, number, &class);

		if (!r && class.set)
			r = image_adopt_class(s->image, number, &class);
		if (r < 0)
			return r;
	}
	image_adopt_phases(s->image, tables_phase_array(s->tables));
	return 0;
}

/* Hands entries to their sources in the model; orphans are left. */
static void load_match(struct load *load)
{
	struct entry *entry = load->entry;

	prefix_sort(entry + load->orphans, load->entries - load->orphans, sizeof(*entry));
	for (size_t i = load->orphans; i < load->entries; i++) {
		struct installed *installed = model_find(load->s->model, &entry[i].source);

		if (installed)
			*installed = entry[i].was;
		else
			entry[load->orphans++] = entry[i];
	}
	load->entries = load->orphans;
}

static int load_entry(void *arg, const struct prefix *source, const struct moat_source *value)
{
	struct load *load = arg;
	void *entries = load->entry;
	struct entry *entry;
	int r = load_reserve(&entries, &load->entry_room, load->entries, sizeof(*entry));

	load->entry = entries;
	if (r < 0)
		return r;
	entry = &load->entry[load->entries++];
	entry->source = *source;
	image_adopt_entry(load->s->image, source, value, &entry->was);
	if (load->entries - load->orphans == LOAD_SORTED)
		load_match(load);
	return 0;
}

static int load_maps(struct load *load)
{
	struct sync *s = load->s;
	int r = load_classes(s);

	for (uint8_t family = 0; family < 2 && !r; family++)
		r = tables_each(s->tables, family, load_entry, load);
	load_match(load);
	if (!load->orphans) {
		free(take_ptr(load->entry));
		load->entry_room = 0;
	}
	return r < 0 ? problem_set(load->why, r, "kernel maps: cannot be read: %s", strerror(-r))
		     : 0;
}

static int load_drop_orphans(struct load *load)
{
	struct sync *s = load->s;

	for (size_t i = 0; i < load->orphans; i++) {
		const struct entry *orphan = &load->entry[i];
		int r = image_stage_orphan(s->image, &orphan->source, &orphan->was);

		if (r < 0)
			return problem_set(load->why, r, "out of memory");
	}
	return sync_flush(s, load->why);
}

/* Lengths that a crash left behind, names of categories that nothing has any more. */
static int load_tidy(struct sync *s, struct problem *why)
{
	struct moat_lengths have, want;
	int r = 0;

	for (uint8_t family = 0; family < 2 && !r; family++) {
		tables_get_lengths(s->tables, family, &have);
		image_lengths(s->image, family, false, &want);
		if (have.count != want.count ||
		    memcmp(have.at, want.at, want.count * sizeof(*want.at)) != 0)
			r = tables_set_lengths(s->tables, family, &want);
	}
	for (uint8_t c = 1; c < MOAT_CATEGORY_SELFTEST && !r; c++)
		if (!*s->rules->categories.name[c])
			r = tables_set_name(s->tables, c, "");
	return r < 0 ? problem_set(why, r, "kernel maps: cannot be written: %s", strerror(-r)) : 0;
}

/* ---- the whole ---- */

static int load_read(struct load *load)
{
	struct sync *s = load->s;
	int r;

	/* The gate of the rules to be, before anything is written. */
	r = sync_put_builtin(s, load->why);
	if (r < 0)
		return r;
	r = store_snapshot(s->store, load_row, load, &s->seq_database, load->why);
	r = r < 0 ? r : load_put_claims(load);
	free(take_ptr(load->claim));
	return r;
}

static int load_write(struct load *load)
{
	struct sync *s = load->s;
	int r = load_maps(load);

	r = r ?: sync_set_rules(s, s->rules, load->why);
	r = r ?: sync_write(s, load->now, load->why);
	r = r ?: load_drop_orphans(load);
	r = r ?: sync_write(s, load->now, load->why); /* room that the orphans left */
	return r ?: load_tidy(s, load->why);
}

int sync_make_model(struct sync *s)
{
	_cleanup_(model_freep) struct model *model = NULL;
	_cleanup_(image_freep) struct image *image = NULL;
	_cleanup_(feeds_freep) struct feeds *feeds = NULL;
	_cleanup_(refusals_freep) struct refusals *refusals = NULL;
	_cleanup_(elsewhere_freep) struct elsewhere *elsewhere = NULL;
	int r = model_new(&model);

	r = r ?: image_new(tables_phases(s->tables), &image);
	r = r ?: refusals_new(&refusals);
	r = r ?: elsewhere_new(&elsewhere);
	r = r ?: feeds_new(&feeds);
	/* Names that no row can have: the gate lets no brackets pass. */
	if (r < 0 || feeds_number(feeds, "(never_block)", false) != SYNC_FEED_NEVER_BLOCK ||
	    feeds_number(feeds, "(selftest)", false) != SYNC_FEED_SELFTEST)
		return -ENOMEM;
	model_on_drop(model, sync_claim_dropped, s);
	s->model = take_ptr(model);
	s->image = take_ptr(image);
	s->feeds = take_ptr(feeds);
	s->refusals = take_ptr(refusals);
	s->elsewhere = take_ptr(elsewhere);
	return 0;
}

static void load_free(struct sync *s)
{
	model_free(s->model);
	image_free(s->image);
	feeds_free(s->feeds);
	refusals_free(s->refusals);
	elsewhere_free(s->elsewhere);
}

/* Reads into a new model; if that fails, what was in force stays, with its model. */
static int load_apart(struct load *load)
{
	struct sync *s = load->s;
	struct sync before = *s;
	int r = sync_make_model(s);

	if (r < 0)
		return problem_set(load->why, r, "out of memory");
	r = sync_use_quorum(s);
	s->clock_offset = sync_clock_offset();
	image_set_clock(s->image, s->clock_offset);
	r = r < 0 ? problem_set(load->why, r, "out of memory") : load_read(load);
	if (r < 0) {
		load_free(s);
		s->model = before.model;
		s->image = before.image;
		s->feeds = before.feeds;
		s->refusals = before.refusals;
		s->grouped = before.grouped;
		s->elsewhere = before.elsewhere;
		s->clock_offset = before.clock_offset;
		return r;
	}
	s->cuts_before += image_plans_cut(before.image);
	s->cuts_mended = 0;
	s->mend_at = 0;
	load_free(&before);
	memset(s->fulls, 0, sizeof(s->fulls));
	s->full_at = 0;
	s->refused_emptied = false;
	s->sound = false;
	return 0;
}

int sync_load(struct sync *s, int64_t now, struct problem *why)
{
	struct load load = { .s = s, .now = now, .why = why };
	int r = load_apart(&load);

	r = r ?: load_write(&load);
	free(load.entry);
	if (r < 0)
		return r;
	s->sound = true;
	s->seq = s->seq_database;
	log_info("database: %zu listings read, %zu sources in force", load.rows,
		 image_entries(s->image, MOAT_IPV4) + image_entries(s->image, MOAT_IPV6) -
			 s->builtin[MOAT_IPV4] - s->builtin[MOAT_IPV6]);
	return 0;
}
