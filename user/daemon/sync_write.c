/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/sync_private.h"

#include "core/log.h"
#include "daemon/selftest.h"

#define REFUSALS_SAVED 1000	    /* rows of table refused written in one transaction */
#define SAVE_NS	       50000000LL   /* of which as many as fit into this, at a time */
#define SAVE_RETRY_NS  1000000000LL /* after one that failed */
#define FULL_RETRY_NS  (5 * 1000000000LL)
#define MEND_NS	       (30 * 1000000000LL) /* between looks at all sources for plans to complete */

/* ---- refusals of sources: one row for each listing of the source ---- */

struct refuse {
	struct sync *s;
	const struct prefix *source;
	enum gate_cause cause; /* GATE_PASSED: not refused any more */
};

static void refuse_claim(void *arg, const struct claim *claim)
{
	const struct refuse *refuse = arg;
	const struct sync *s = refuse->s;
	char text[PREFIX_TEXT_MAX];
	const char *category = category_shown(s->rules->categories.name[claim->category]);
	const char *feed = feeds_name(s->feeds, claim->feed);

	if (prefix_compare(&claim->source, refuse->source) != 0 ||
	    claim->feed <= SYNC_FEED_SELFTEST)
		return;
	sync_claim_text(s, claim, text);
	if (refuse->cause)
		refusals_set(s->refusals, text, category, feed, refuse->cause);
	else
		refusals_clear(s->refusals, text, category, feed);
}

static void sync_refuse(struct sync *s, const struct prefix *source, enum gate_cause cause)
{
	struct refuse refuse = { .s = s, .source = source, .cause = cause };

	model_covering(s->model, source, refuse_claim, &refuse);
}

static bool sync_has_full(const struct sync *s)
{
	return refusals_by_cause(s->refusals, GATE_MAP_FULL) ||
	       refusals_by_cause(s->refusals, GATE_CLASSES_FULL);
}

void sync_claim_dropped(void *arg, const struct claim *claim)
{
	struct refuse refuse = { .s = arg, .source = &claim->source };

	if (sync_has_full(arg))
		refuse_claim(&refuse, claim);
}

static bool sync_is_waiting(const struct sync *s, const struct prefix *source)
{
	const struct installed *installed = model_find(s->model, source);

	return installed && installed->state == INSTALLED_REFUSED;
}

static int compare_prefix(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

/* Sources come and go while there is no room: keeps those that still wait, once each. */
static void sync_tidy_full(struct sync *s, uint8_t family)
{
	struct prefix *full = s->full[family];
	size_t kept = 0;

	if (s->fulls[family])
		qsort(full, s->fulls[family], sizeof(*full), compare_prefix);
	for (size_t i = 0; i < s->fulls[family]; i++)
		if ((!kept || prefix_compare(&full[kept - 1], &full[i]) != 0) &&
		    sync_is_waiting(s, &full[i]))
			full[kept++] = full[i];
	s->fulls[family] = kept;
}

static int sync_remember_full(struct sync *s, const struct prefix *source)
{
	uint8_t family = source->family;
	size_t room = s->full_room[family];

	if (s->fulls[family] == room) {
		struct prefix *grown = s->full[family];

		sync_tidy_full(s, family);
		if (s->fulls[family] >= room / 2) {
			room = room ? room * 2 : 256;
			grown = reallocarray(grown, room, sizeof(*grown));
		}
		if (!grown)
			return -ENOMEM;
		s->full[family] = grown;
		s->full_room[family] = room;
	}
	s->full[family][s->fulls[family]++] = *source;
	return 0;
}

void sync_count_builtin(struct sync *s)
{
	for (uint8_t family = 0; family < 2; family++) {
		struct prefix selftest = selftest_source(family);
		const struct installed *installed = model_find(s->model, &selftest);

		s->builtin[family] = installed && installed->state == INSTALLED_YES;
	}
	for (size_t i = 0; i < s->rules->nevers; i++) {
		const struct installed *installed = model_find(s->model, &s->rules->never[i]);

		if (installed && installed->state == INSTALLED_YES)
			s->builtin[s->rules->never[i].family]++;
	}
}

/* ---- staging ---- */

struct pass {
	struct sync *s;
	size_t staged;
};

static size_t sync_room(const struct sync *s, uint8_t family)
{
	size_t used = image_entries(s->image, family) - s->builtin[family];

	return used < s->rules->capacity[family] ? s->rules->capacity[family] - used : 0;
}

/* Where there is no room: the source is remembered, its rows are listed with the cause. */
static int sync_wait_for_room(struct sync *s, const struct prefix *source,
			      struct installed *installed, bool waits, enum gate_cause cause)
{
	sync_refuse(s, source, cause);
	installed->state = INSTALLED_REFUSED;
	return waits ? 0 : sync_remember_full(s, source);
}

static int pass_stage(struct pass *pass, const struct prefix *source, struct installed *installed,
		      const struct plan *plan, bool builtin)
{
	struct sync *s = pass->s;
	bool was = installed->state == INSTALLED_YES;
	bool waits = installed->state == INSTALLED_REFUSED;
	int r;

	if (waits && !plan->count) {
		sync_refuse(s, source, GATE_PASSED); /* claims may be left that need no entry */
		installed->state = INSTALLED_NOT;
		return 0;
	}
	if (plan->count && !was && !builtin && !sync_room(s, source->family))
		return sync_wait_for_room(s, source, installed, waits, GATE_MAP_FULL);

	r = image_stage(s->image, source, installed, plan);
	if (r == -ENOSPC) {
		pass->staged += was;
		return sync_wait_for_room(s, source, installed, waits, GATE_CLASSES_FULL);
	}
	if (r < 0)
		return r;
	pass->staged += (size_t)r;
	if (!was && installed->state == INSTALLED_YES && sync_has_full(s))
		sync_refuse(s, source, GATE_PASSED);
	return 0;
}

static int pass_visit(void *arg, const struct prefix *source, struct installed *installed,
		      const struct plan *plan)
{
	struct pass *pass = arg;
	struct sync *s = pass->s;
	bool was = installed->state == INSTALLED_YES;
	bool builtin = sync_is_builtin(s, source);
	int r;

	if (pass->staged >= SYNC_STAGED)
		return -EAGAIN; /* write these first, then go on */
	r = pass_stage(pass, source, installed, plan, builtin);
	if (r >= 0 && builtin)
		s->builtin[source->family] +=
			(size_t)(installed->state == INSTALLED_YES) - (size_t)was;
	return r;
}

/* ---- writing ---- */

/* Gives back what the kernel did not take. */
static int sync_not_taken(struct sync *s, const struct prefix *source)
{
	struct installed *installed = model_find(s->model, source);

	if (!installed)
		return 0;
	image_refused(s->image, source, installed);
	if (sync_is_builtin(s, source))
		s->builtin[source->family]--;
	return sync_wait_for_room(s, source, installed, false, GATE_MAP_FULL);
}

/*
 * Entries that were not taken. A full map leaves nothing of one; after another
 * error what it was may still be there, and would outlive its listing.
 */
static int sync_check4(struct sync *s, const struct image_batch *batch, const int16_t *done)
{
	int odd = 0;
	int r = 0;

	for (size_t i = 0; i < batch->puts[MOAT_IPV4] && !r; i++) {
		struct prefix source = prefix_from_key4(&batch->put4[i]);

		if (!done[i])
			continue;
		r = sync_not_taken(s, &source);
		if (done[i] == -ENOSPC)
			continue;
		odd = done[i];
		r = r ?: tables_delete4(s->tables, &batch->put4[i], 1);
	}
	if (odd)
		log_error("map '%s': entries were refused: %s", MOAT_MAP_SOURCE4, strerror(-odd));
	return r;
}

static int sync_check6(struct sync *s, const struct image_batch *batch, const int16_t *done)
{
	int odd = 0;
	int r = 0;

	for (size_t i = 0; i < batch->puts[MOAT_IPV6] && !r; i++) {
		struct prefix source = prefix_from_key6(&batch->put6[i]);

		if (!done[i])
			continue;
		r = sync_not_taken(s, &source);
		if (done[i] == -ENOSPC)
			continue;
		odd = done[i];
		r = r ?: tables_delete6(s->tables, &batch->put6[i], 1);
	}
	if (odd)
		log_error("map '%s': entries were refused: %s", MOAT_MAP_SOURCE6, strerror(-odd));
	return r;
}

static int sync_write_lengths(struct sync *s, const bool changed[2], bool with_removed)
{
	struct moat_lengths lengths;
	int r = 0;

	for (uint8_t family = 0; family < 2 && !r; family++) {
		if (!changed[family])
			continue;
		image_lengths(s->image, family, with_removed, &lengths);
		r = tables_set_lengths(s->tables, family, &lengths);
	}
	return r;
}

/* ret_refused: whether some were, by family. */
static int sync_write_puts(struct sync *s, const struct image_batch *batch, bool ret_refused[2])
{
	size_t most = batch->puts[0] > batch->puts[1] ? batch->puts[0] : batch->puts[1];
	_cleanup_free_ int16_t *done = calloc(most ? most : 1, sizeof(*done));
	ssize_t failed;
	int r;

	if (!done)
		return -ENOMEM;
	failed = tables_put4(s->tables, batch->put4, batch->put4_value, batch->puts[MOAT_IPV4],
			     done);
	ret_refused[MOAT_IPV4] = failed > 0;
	r = failed > 0 ? sync_check4(s, batch, done) : (int)failed;
	if (r < 0)
		return r;
	failed = tables_put6(s->tables, batch->put6, batch->put6_value, batch->puts[MOAT_IPV6],
			     done);
	ret_refused[MOAT_IPV6] = failed > 0;
	return failed > 0 ? sync_check6(s, batch, done) : (int)failed;
}

static int sync_write_batch(struct sync *s, const struct image_batch *batch)
{
	bool removed[2] = { batch->lengths_removed[0], batch->lengths_removed[1] };
	bool refused[2] = {};
	int r = 0;

	for (size_t i = 0; i < batch->classes && !r; i++)
		r = tables_set_class(s->tables, batch->class[i],
				     image_class(s->image, batch->class[i]));
	for (size_t i = 0; i < batch->phases && !r; i++)
		r = tables_set_phase(s->tables, batch->phase[i],
				     image_phase(s->image, batch->phase[i]));
	r = r ?: sync_write_lengths(s, batch->lengths_added, true);
	r = r ?: sync_write_puts(s, batch, refused);
	r = r ?: tables_delete4(s->tables, batch->delete4, batch->deletes[MOAT_IPV4]);
	r = r ?: tables_delete6(s->tables, batch->delete6, batch->deletes[MOAT_IPV6]);
	/* The image takes the length of an entry that was refused for one still in force. */
	for (uint8_t family = 0; family < 2; family++)
		removed[family] &= !refused[family];
	return r ?: sync_write_lengths(s, removed, false);
}

/* What was staged is lost for the image if it cannot be written: it must be made anew. */
int sync_flush(struct sync *s, struct problem *why)
{
	struct image_batch batch;
	int r;

	if (image_is_empty(s->image))
		return 0;
	image_batch(s->image, &batch);
	r = sync_write_batch(s, &batch);
	if (r < 0) {
		s->sound = false;
		return problem_set(why, r, "kernel maps: cannot be written: %s", strerror(-r));
	}
	if (image_frees(s->image))
		tables_grace();
	image_done(s->image);
	return 0;
}

/* Compiles and writes until nothing is changed any more. */
static int sync_compile(struct sync *s, int64_t now, struct problem *why)
{
	ssize_t visits;

	do {
		struct pass pass = { .s = s };
		int r;

		visits = model_compile(s->model, now, pass_visit, &pass);
		r = sync_flush(s, why);
		if (r < 0)
			return r;
	} while (visits == -EAGAIN);
	if (visits < 0)
		return problem_set(why, (int)visits, "cannot compile: %s", strerror((int)-visits));
	return 0;
}

/* Tries sources that wait again, in turn, as many as there should be room for. */
static int sync_retry_full(struct sync *s, uint8_t family, int64_t now, struct problem *why)
{
	size_t left = s->fulls[family];
	struct prefix *full = s->full[family];
	size_t room, count;
	int r = 0;

	while (!r && left && (room = sync_room(s, family))) {
		count = left < room ? left : room;
		count = count < SYNC_RETRIES ? count : SYNC_RETRIES;
		for (size_t i = 0; i < count; i++) {
			if (!sync_is_waiting(s, &full[i]))
				continue;
			model_find(s->model, &full[i])->state = INSTALLED_NOT;
			model_touch(s->model, &full[i]);
		}
		s->fulls[family] -= count;
		memmove(full, full + count, s->fulls[family] * sizeof(*full));
		left -= count;
		r = sync_compile(s, now, why);
		full = s->full[family];
	}
	return r;
}

static int sync_retry_all_full(struct sync *s, int64_t now, struct problem *why)
{
	int r = 0;

	if (s->full_at && sync_monotonic() < s->full_at)
		return 0;
	s->full_at = 0;
	for (uint8_t family = 0; family < 2 && !r; family++) {
		r = sync_retry_full(s, family, now, why);
		/* It is the kernel, or the classes, that have no room: that costs a try each. */
		if (s->fulls[family] && sync_room(s, family))
			s->full_at = sync_monotonic() + FULL_RETRY_NS;
	}
	return r;
}

size_t sync_plans_cut(const struct sync *s)
{
	return image_plans_cut(s->image) - s->cuts_mended;
}

/* Nobody remembers which sources have a plan that was cut: all are looked at. */
static int sync_mend_plans(struct sync *s, int64_t now, struct problem *why)
{
	int64_t time = sync_monotonic();

	if (!sync_plans_cut(s))
		s->mend_at = 0;
	else if (!s->mend_at)
		s->mend_at = time + MEND_NS;
	if (!s->mend_at || time < s->mend_at)
		return 0;
	s->mend_at = time + MEND_NS;
	if (image_phases_used(s->image) + 1 >= tables_phases(s->tables))
		return 0;
	s->cuts_mended = image_plans_cut(s->image);
	model_touch_all(s->model);
	return sync_compile(s, now, why);
}

int sync_write(struct sync *s, int64_t now, struct problem *why)
{
	int r;

	sync_count_builtin(s);
	r = sync_compile(s, now, why);
	r = r ?: sync_retry_all_full(s, now, why);
	return r ?: sync_mend_plans(s, now, why);
}

void sync_save_refusals(struct sync *s, int64_t now)
{
	struct refusal rows[REFUSALS_SAVED];
	int64_t began = sync_monotonic();
	struct problem why = {};
	size_t count;
	int r = 0;

	s->save_at = 0;
	if (!s->store || store_read_only(s->store)) {
		refusals_saved(s->refusals, SIZE_MAX); /* nobody is to be told */
		return;
	}
	if (!s->refused_emptied)
		r = store_refused_reset(s->store, NULL, 0, now, &why);
	s->refused_emptied |= !r;
	while (!r && (count = refusals_unsaved(s->refusals, rows, REFUSALS_SAVED))) {
		if (sync_monotonic() - began > SAVE_NS) {
			s->save_at = began;
			return;
		}
		r = store_refused_update(s->store, rows, count, now, &why);
		if (!r)
			refusals_saved(s->refusals, count);
	}
	if (r < 0) {
		log_debug("table refused: %s; trying again later", why.text);
		s->save_at = sync_monotonic() + SAVE_RETRY_NS;
	}
}
