/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab_check(): what the daemon must have made of table listing, worked out row
 * by row, every address against every row. Of the daemon it uses the gate.
 */
#include "daemon/selftest.h"
#include "tests/unit/sync_lab.h"

#define ROWS 8192

struct row_seen {
	char source[64], category[64], feed[64]; /* cut; enough to tell the tests' rows apart */
	enum gate_cause cause;			 /* map_full included */
	struct claim claim;			 /* if the gate let it pass */
	bool live;
	bool builtin;
};

struct seen {
	struct row_seen row[ROWS];
	size_t rows;
	size_t wanted[2], installed[2];
	size_t missing_builtin[2];
};

static struct seen seen;

int __real_store_snapshot(struct store *s, store_listing_fn fn, void *arg, int64_t *ret_seq,
			  struct problem *why);

static int note_row(void *arg, const struct listing *listing)
{
	const struct row *key = &listing->key;
	struct row_seen *row = &seen.row[seen.rows++];

	(void)arg;
	assert_true(seen.rows < ROWS);
	*row = (struct row_seen){};
	snprintf(row->source, sizeof(row->source), "%s", key->source);
	snprintf(row->category, sizeof(row->category), "%s", key->category);
	snprintf(row->feed, sizeof(row->feed), "%s", key->feed);
	row->cause = gate_check(sync_gate(lab.sync), key, &row->claim);
	row->live = !row->cause && (!row->claim.expires || row->claim.expires > lab_now());
	return 0;
}

static void note_builtin(const struct prefix *source, uint8_t category)
{
	assert_true(seen.rows < ROWS);
	seen.row[seen.rows++] = (struct row_seen){
		.claim = { .source = *source, .category = category },
		.live = true,
		.builtin = true,
	};
}

static void read_rows(void)
{
	_cleanup_(store_freep) struct store *store = NULL;
	char uri[192];
	int64_t seq;

	seen = (struct seen){};
	snprintf(uri, sizeof(uri), "sqlite://%s", lab.path);
	assert_int_equal(store_open(uri, &store, &lab.why), 0);
	assert_int_equal(__real_store_snapshot(store, note_row, NULL, &seq, &lab.why), 0);
	for (uint8_t family = 0; family < 2; family++) {
		struct prefix selftest = selftest_source(family);

		note_builtin(&selftest, MOAT_CATEGORY_SELFTEST);
	}
	for (size_t i = 0; i < lab.nevers; i++)
		note_builtin(&lab.never[i], MOAT_CATEGORY_ALLOW);
}

/* ---- what all rows say of a source ---- */

static const struct config_feed *feed_of(const char *name)
{
	for (size_t i = 0; i < lab.config->feeds; i++)
		if (!strcmp(lab.config->feed[i].name, name))
			return &lab.config->feed[i];
	return NULL;
}

static bool is_trusted(const char *feed)
{
	const struct config_feed *known = feed_of(feed);

	return known ? known->trusted : lab.config->manual_trusted && !strcmp(feed, "manual");
}

static bool same_group(const char *a, const char *b)
{
	const struct config_feed *first = feed_of(a), *second = feed_of(b);

	return !strcmp(a, b) ||
	       (first && second && *first->group && !strcmp(first->group, second->group));
}

static bool votes(const struct row_seen *row, const struct prefix *key, int number)
{
	return row->live && !row->builtin && row->claim.category == number &&
	       prefix_covers(&row->claim.source, key);
}

static bool feeds_agree(const struct prefix *key, int number, unsigned int k_of)
{
	unsigned int groups = 0;

	for (size_t i = 0; i < seen.rows; i++) {
		bool first = votes(&seen.row[i], key, number);

		if (first && is_trusted(seen.row[i].feed))
			return true;
		for (size_t j = 0; j < i && first; j++)
			first = !votes(&seen.row[j], key, number) ||
				!same_group(seen.row[i].feed, seen.row[j].feed);
		groups += first;
	}
	return groups >= k_of;
}

/* The number of what counts in place of a category; -1: none does. */
static int below(const struct config_category *category)
{
	char name[MOAT_CATEGORY_NAME + 1];

	snprintf(name, sizeof(name), "~%s", category->name);
	return categories_find(sync_categories(lab.sync), name);
}

static bool any_untrusted(const struct prefix *key, int number)
{
	for (size_t i = 0; i < seen.rows; i++)
		if (votes(&seen.row[i], key, number) && !is_trusted(seen.row[i].feed))
			return true;
	return false;
}

/* The categories of a source; 0 if nothing would be done about it. */
static uint64_t set_of(const struct prefix *key)
{
	const uint64_t allow = 1ULL << MOAT_CATEGORY_ALLOW;
	uint64_t set = 0, shared = 0;

	for (size_t i = 0; i < seen.rows; i++)
		if (seen.row[i].live && prefix_covers(&seen.row[i].claim.source, key))
			set |= 1ULL << seen.row[i].claim.category;
	for (size_t i = 0; i < lab.config->categories; i++) {
		const struct config_category *category = &lab.config->category[i];
		int number = categories_find(sync_categories(lab.sync), category->name);

		if (category->policy.flags & MOAT_POLICY_SHARED)
			shared |= 1ULL << number;
		if (category->k_of < 2 || !(set & 1ULL << number))
			continue;
		if (any_untrusted(key, number))
			set |= 1ULL << below(category);
		if (!feeds_agree(key, number, category->k_of))
			set &= ~(1ULL << number);
	}
	if (set & allow)
		return allow;
	return set & ~shared ? set : 0;
}

/* ---- sources ---- */

static bool installed(const struct prefix *source)
{
	struct moat_source value;

	return !tables_get(lab.tables, source, &value);
}

/* Whether an earlier row wants the same source, by the database or (builtin) at all. */
static bool counted(size_t index, bool builtin)
{
	for (size_t i = 0; i < index; i++)
		if (seen.row[i].live && seen.row[i].builtin <= builtin &&
		    !prefix_compare(&seen.row[i].claim.source, &seen.row[index].claim.source))
			return true;
	return false;
}

static void check_sources(void)
{
	for (size_t i = 0; i < seen.rows; i++) {
		struct row_seen *row = &seen.row[i];
		uint8_t family = row->claim.source.family;
		bool in;

		if (!row->live || !set_of(&row->claim.source))
			continue;
		in = installed(&row->claim.source);
		if (!in && !row->builtin)
			row->cause = GATE_MAP_FULL;
		if (counted(i, row->builtin))
			continue;
		if (row->builtin && in)
			continue; /* moat's own business, while it works */
		seen.wanted[family]++;
		seen.installed[family] += in;
		seen.missing_builtin[family] += row->builtin;
	}
}

static int check_entry(void *arg, const struct prefix *source, const struct moat_source *value)
{
	char text[PREFIX_TEXT_MAX];

	(void)value;
	(void)arg;
	for (size_t i = 0; i < seen.rows; i++)
		if (seen.row[i].live && !prefix_compare(&seen.row[i].claim.source, source) &&
		    set_of(source))
			return 0;
	fail_msg("the kernel has %s, which no live row wants", prefix_format(source, text));
	return 0;
}

bool lab_room_is_used(void)
{
	struct sync_numbers n = lab_numbers();

	for (uint8_t family = 0; family < 2; family++)
		if (n.refused[family] && n.installed[family] < lab.config->capacity[family] &&
		    fake_tables_entries(lab.tables, family) < fake_tables_room(lab.tables, family))
			return false;
	return true;
}

/* ---- addresses ---- */

/* The key that must decide: the longest that is wanted and installed. */
static const struct prefix *deciding(const struct prefix *address)
{
	const struct prefix *best = NULL;

	for (size_t i = 0; i < seen.rows; i++) {
		const struct row_seen *row = &seen.row[i];

		if (!row->live || row->cause || !prefix_covers(&row->claim.source, address))
			continue;
		if (best && row->claim.source.len <= best->len)
			continue;
		if (installed(&row->claim.source))
			best = &row->claim.source;
	}
	return best;
}

static bool scope_fits(const struct config_category *category, uint8_t protocol, uint16_t port)
{
	const struct moat_policy *policy = &category->policy;

	if (!(policy->flags & MOAT_POLICY_PROTOCOLS))
		return true;
	return policy->protocols[0] & 1ULL << protocol &&
	       (!(policy->flags & MOAT_POLICY_PORTS) ||
		category->ports->set[port / 64] & 1ULL << port % 64);
}

/* The category that must decide, by the configuration; -1: none fits. */
static int category_of(uint64_t set, uint8_t protocol, uint16_t port)
{
	const struct categories *categories = sync_categories(lab.sync);
	const struct config_category *best = NULL;

	for (size_t i = 0; i < lab.config->categories; i++) {
		const struct config_category *category = &lab.config->category[i];
		int number = categories_find(categories, category->name);

		assert_true(number > 0);
		if (set & 1ULL << number && scope_fits(category, protocol, port) &&
		    !(category->policy.flags & MOAT_POLICY_SHARED) &&
		    (!best || category->policy.action > best->policy.action))
			best = category;
	}
	if (set & 1ULL << MOAT_CATEGORY_SELFTEST &&
	    (!best || best->policy.action < MOAT_ACTION_DROP))
		return MOAT_CATEGORY_SELFTEST;
	for (size_t i = 0; i < lab.config->categories && !best; i++) {
		const struct config_category *category = &lab.config->category[i];

		if (below(category) > 0 && set & 1ULL << below(category) &&
		    scope_fits(category, protocol, port))
			return below(category);
	}
	return best ? categories_find(categories, best->name) : -1;
}

static uint8_t shared_of(uint64_t set)
{
	for (size_t i = 0; i < lab.config->categories; i++) {
		const struct config_category *category = &lab.config->category[i];
		int number = categories_find(sync_categories(lab.sync), category->name);

		if (category->policy.flags & MOAT_POLICY_SHARED && set & 1ULL << number &&
		    !(set & 1ULL << MOAT_CATEGORY_SELFTEST))
			return (uint8_t)number;
	}
	return 0;
}

static void check_packet(const struct prefix *address, uint8_t protocol, uint16_t port)
{
	const struct prefix *key = deciding(address);
	uint64_t set = key ? set_of(key) : 0;
	struct fake_verdict got;
	char text[PREFIX_TEXT_MAX];
	int category;

	key = set ? key : NULL;
	prefix_format(address, text);
	fake_tables_packet(lab.tables, address, (uint64_t)lab_boot_ns, protocol, port, &got);
	if (got.listed != !!key)
		fail_msg("%s: %s", text,
			 key ? "the kernel lets it through" : "the kernel lists it");
	if (!key)
		return;
	if (got.set != set)
		fail_msg("%s: the kernel has set %llx, the rows say %llx", text,
			 (unsigned long long)got.set, (unsigned long long)set);
	assert_int_equal(prefix_compare(&got.key, key), 0);
	if (set == 1ULL << MOAT_CATEGORY_ALLOW)
		return;
	assert_int_equal(got.shared, shared_of(set));
	category = category_of(set, protocol, port);
	if (got.in_scope != (category >= 0) || (got.in_scope && got.category != category))
		fail_msg("%s: category %d decides, must be %d", text,
			 got.in_scope ? got.category : -1, category);
}

static void check_addresses(void)
{
	for (size_t i = 0; i < seen.rows; i++) {
		struct prefix first = seen.row[i].claim.source;
		unsigned int max = prefix_max(first.family);
		struct prefix last = first;

		if (!seen.row[i].builtin && seen.row[i].cause && seen.row[i].cause != GATE_MAP_FULL)
			continue;
		for (unsigned int bit = first.len; bit < max; bit++)
			last.addr[bit / 8] |= 0x80 >> bit % 8;
		first.len = last.len = (uint8_t)max;
		check_packet(&first, LAB_PROTOCOL, LAB_PORT);
		check_packet(&last, LAB_PROTOCOL, LAB_PORT);
		check_packet(&last, 6, 22);
		last.addr[max / 8 - 1] ^= 1; /* a neighbour, most likely */
		check_packet(&last, LAB_PROTOCOL, LAB_PORT);
	}
}

/* ---- refusals and numbers ---- */

static int count_refusal(void *arg, const struct refusal *refusal)
{
	size_t *count = arg;

	(void)refusal;
	++*count;
	return 0;
}

static void check_refused(const struct sync_numbers *n)
{
	size_t by_cause[GATE_CAUSE_MAX] = {}, refused = 0, listed = 0;

	for (size_t i = 0; i < seen.rows; i++) {
		const struct row_seen *row = &seen.row[i];
		char *sql;

		if (row->cause == GATE_ELSEWHERE)
			continue;
		by_cause[row->cause]++;
		if (!row->cause)
			continue;
		refused++;
		sql = sqlite3_mprintf("SELECT count(*) FROM refused WHERE substr(source, 1, 63) = %Q"
				      " AND substr(category, 1, 63) = %Q AND substr(feed, 1, 63) = %Q"
				      " AND cause = %Q",
				      row->source, row->category, row->feed,
				      gate_cause_label(row->cause));
		if (lab_sql_number(sql) != 1)
			fail_msg("%s %s %s is not once in table refused as %s", row->source,
				 row->category, row->feed, gate_cause_label(row->cause));
		sqlite3_free(sql);
	}
	if (lab_sql_number("SELECT count(*) FROM refused") != (int64_t)refused)
		fail_msg("table refused has rows of more than the %zu that are", refused);
	sync_each_refused(lab.sync, count_refusal, &listed);
	assert_int_equal(listed, refused);
	for (int cause = 1; cause < GATE_CAUSE_MAX; cause++)
		if (n->by_cause[cause] != by_cause[cause])
			fail_msg("%zu rows are refused as %s, must be %zu", n->by_cause[cause],
				 gate_cause_label(cause), by_cause[cause]);
	assert_int_equal(n->gate_refused, refused - by_cause[GATE_MAP_FULL]);
}

static void check_counts(void)
{
	for (size_t i = 0; i < seen.rows; i++) {
		const struct row_seen *row = &seen.row[i];
		size_t live = 0, refused = 0;

		if (!row->live || row->builtin)
			continue;
		for (size_t j = 0; j < seen.rows; j++)
			if (!strcmp(seen.row[j].feed, row->feed) &&
			    !strcmp(seen.row[j].category, row->category)) {
				live += !seen.row[j].cause && seen.row[j].live;
				refused += seen.row[j].cause != GATE_PASSED &&
					   seen.row[j].cause != GATE_ELSEWHERE;
			}
		if (lab_count(row->feed, row->category, "live") != live ||
		    lab_count(row->feed, row->category, "refused") != refused)
			fail_msg("%s %s: %zu live, %zu refused, must be %zu, %zu", row->feed,
				 row->category, lab_count(row->feed, row->category, "live"),
				 lab_count(row->feed, row->category, "refused"), live, refused);
	}
}

void lab_check_packets(void)
{
	read_rows();
	check_sources();
	check_addresses();
}

void lab_check(void)
{
	struct sync_numbers n = lab_numbers();
	size_t wanted, in;

	if (fake_tables_wrong(lab.tables))
		fail_msg("%s", fake_tables_wrong(lab.tables));
	assert_true(n.started);
	assert_true(n.current);
	assert_string_equal(n.problem, "");
	assert_int_equal(n.seq_kernel, n.seq_database);
	assert_true(n.lag == 0);

	read_rows();
	check_sources();
	for (uint8_t family = 0; family < 2; family++) {
		assert_int_equal(n.wanted[family], seen.wanted[family]);
		assert_int_equal(n.installed[family], seen.installed[family]);
		assert_int_equal(n.refused[family], seen.wanted[family] - seen.installed[family]);
		assert_int_equal(tables_each(lab.tables, family, check_entry, NULL), 0);
	}
	if (!lab_room_is_used())
		fail_msg("%zu sources are refused while there is room",
			 n.refused[0] + n.refused[1]);
	wanted = seen.wanted[0] + seen.wanted[1];
	in = seen.installed[0] + seen.installed[1];
	assert_true(n.coverage == (wanted ? (double)in / (double)wanted : 1));
	check_addresses();
	check_refused(&n);
	check_counts();
}
