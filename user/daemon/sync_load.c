/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/sync_private.h"

#include "core/log.h"
#include "daemon/notify.h"

/* Entries of the maps that no listing wants. */
struct orphans {
	struct orphan {
		struct prefix source;
		struct installed was;
	} * orphan;
	size_t count, room;
};

struct load {
	struct sync *s;
	int64_t now;
	struct problem *why;
	size_t rows;
	struct orphans orphans;
};

#define LOAD_PROGRESS 1000000 /* rows between lines of progress */

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

int sync_take_row(struct sync *s, const struct row *row, int64_t now, struct problem *why)
{
	struct claim claim = {};
	enum gate_cause cause = gate_check(&s->gate, row, &claim);
	int feed;
	int r;

	if (cause == GATE_ELSEWHERE)
		return leave_row(s, row, &claim, now, why);
	if (cause != GATE_PASSED)
		return refuse_row(s, row, cause, why);
	feed = feeds_number(s->feeds, row->feed, is_cidr(&claim.source, row->source));
	if (feed == -ENOSPC)
		return refuse_row(s, row, GATE_FEEDS_FULL, why);
	if (feed < 0 || sync_group_feeds(s) < 0)
		return problem_set(why, -ENOMEM, "out of memory");
	claim.feed = (uint16_t)feed;

	elsewhere_clear(s->elsewhere, row);
	cause = refusals_find(s->refusals, row->source, row->category, row->feed);
	if (!sync_cause_is_room(cause)) /* that one ends with the claim, or with room */
		refusals_clear(s->refusals, row->source, row->category, row->feed);
	if (claim.expires && claim.expires <= now) {
		model_drop(s->model, &claim.source, claim.category, claim.feed);
		return 0;
	}
	r = model_put(s->model, &claim);
	return r < 0 ? problem_set(why, r, "out of memory") : r;
}

static int load_row(void *arg, const struct listing *listing)
{
	struct load *load = arg;
	int r = sync_take_row(load->s, &listing->key, load->now, load->why);

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

static int load_orphan(struct orphans *orphans, const struct prefix *source,
		       const struct installed *was)
{
	if (orphans->count == orphans->room) {
		size_t room = orphans->room ? orphans->room * 2 : 1024;
		struct orphan *grown = reallocarray(orphans->orphan, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		orphans->orphan = grown;
		orphans->room = room;
	}
	orphans->orphan[orphans->count++] = (struct orphan){ *source, *was };
	return 0;
}

static int load_entry(void *arg, const struct prefix *source, const struct moat_source *value)
{
	struct load *load = arg;
	struct installed *installed = model_find(load->s->model, source);
	struct installed was = {};

	image_adopt_entry(load->s->image, source, value, installed ?: &was);
	return installed ? 0 : load_orphan(&load->orphans, source, &was);
}

static int load_maps(struct load *load)
{
	struct sync *s = load->s;
	int r = load_classes(s);

	for (uint8_t family = 0; family < 2 && !r; family++)
		r = tables_each(s->tables, family, load_entry, load);
	return r < 0 ? problem_set(load->why, r, "kernel maps: cannot be read: %s", strerror(-r))
		     : 0;
}

static int load_drop_orphans(struct load *load)
{
	struct sync *s = load->s;

	for (size_t i = 0; i < load->orphans.count; i++) {
		const struct orphan *orphan = &load->orphans.orphan[i];
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
	return r < 0 ? r : 0;
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
	free(load.orphans.orphan);
	if (r < 0)
		return r;
	s->sound = true;
	s->seq = s->seq_database;
	log_info("database: %zu listings read, %zu sources in force", load.rows,
		 image_entries(s->image, MOAT_IPV4) + image_entries(s->image, MOAT_IPV6) -
			 s->builtin[MOAT_IPV4] - s->builtin[MOAT_IPV6]);
	return 0;
}
