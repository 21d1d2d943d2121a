/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stream of a LAPI, answer by answer, by a clock of the test's: what is
 * asked, and what each answer leaves in the database. Parser, guards and
 * database are the real ones.
 */
#include "tests/unit/feed_apply_lab.h"

#include "daemon/crowdsec.h"

static struct crowdsec *stream;
static struct config_feed config;
static struct config_mapping mapping[3];
static char url[FEEDER_URL_MAX];
static int64_t now;
static size_t kept;

static int setup(void **state)
{
	static const char *const pairs[][2] = { { "ban", "botnet" },
						{ "captcha", "spam" },
						{ "throttle", "spam" } };

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		snprintf(mapping[i].from, sizeof(mapping[i].from), "%s", pairs[i][0]);
		snprintf(mapping[i].to, sizeof(mapping[i].to), "%s", pairs[i][1]);
	}
	config = (struct config_feed){
		.name = "lapi",
		.url = (char *)"http://127.0.0.1:8080/",
		.every = 10,
		.ttl = 3 * DAY,
		.confidence = -1,
		.types = (char *)"ban,captcha,throttle",
		.mapping = mapping,
		.mappings = ARRAY_SIZE(mapping),
		.limits = { 50, 300, 20, { 12, 28 } },
		.parse = { .format = FEED_CROWDSEC, .types = "ban,captcha,throttle" },
	};
	now = NOW;
	assert_int_equal(crowdsec_new(&stream), 0);
	return lab_setup(state);
}

static int teardown(void **state)
{
	stream = crowdsec_free(stream);
	return lab_teardown(state);
}

#define with_stream(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static bool asked_for_all(void)
{
	return strstr(url, "startup=true");
}

struct answer {
	struct feed_apply *apply;
	struct feed_summary summary;
};

static int take_row(void *arg, const struct feed_row *row)
{
	return crowdsec_rows(stream, ((struct answer *)arg)->apply, row, 1);
}

static void parse_answer(struct answer *answer, const char *text)
{
	struct feed_options options = config.parse;
	struct feed_parser *p = NULL;

	options.now = now;
	assert_int_equal(feed_parser_new(&options, take_row, answer, &p), 0);
	feed_parser_push(p, text, strlen(text));
	feed_parser_finish(p, &answer->summary);
	feed_parser_free(p);
}

/* Asks; the answer is text, NULL: none. */
static struct feed_report poll_once(struct lab *lab, struct store *s, const char *text)
{
	struct gate gate = gate_of_tests();
	struct feed_rules rules = {};
	struct feed_state state = { .last_good = now };
	struct feed_report report = {};
	struct answer answer = {};
	struct feed_judge judge = {
		.summary = &answer.summary, .gate = &gate, .store = s, .stream = true
	};

	now += 10;
	judge.now = now;
	assert_int_equal(crowdsec_begin(stream, &config, now, url, &lab->why), 0);
	if (!text) {
		crowdsec_end(stream, false);
		return report;
	}
	assert_int_equal(feed_rules_copy(&config, &rules), 0);
	snprintf(state.feed, sizeof(state.feed), "%s", rules.feed);
	assert_int_equal(feed_apply_new(&rules, &gate, now, &answer.apply), 0);
	parse_answer(&answer, text);
	if (!answer.summary.fault)
		assert_int_equal(crowdsec_judge(stream, answer.apply, s, &config, now, &kept,
						&lab->why),
				 0);
	feed_apply_judge(answer.apply, &judge, &report);
	if (!report.cause[0])
		assert_int_equal(feed_apply_write(answer.apply, s, NULL, now, &state, &report,
						  &lab->why),
				 0);
	crowdsec_end(stream, report.applied);
	feed_apply_free(answer.apply);
	return report;
}

#define D(type, scope, value, duration)                                                            \
	"{\"id\":7,\"origin\":\"cscli\",\"type\":\"" type "\",\"scope\":\"" scope                  \
	"\",\"value\":\"" value "\",\"duration\":\"" duration "\",\"scenario\":\"x\"}"
#define BAN(value)	     D("ban", "Ip", value, "4h")
#define GONE(value)	     D("ban", "Ip", value, "-1s")
#define ANSWER(new, deleted) "{\"new\":[" new "],\"deleted\":[" deleted "]}"
#define NOTHING		     "{\"new\":null,\"deleted\":null}"

/* "192.0.2.1/botnet 192.0.2.2/spam" of what is live, in order. */
static const char *live(const struct lab *lab)
{
	static char text[1024];
	char sql[256];
	struct client c = client_start(lab->path);
	ssize_t n;

	snprintf(sql, sizeof(sql),
		 "SELECT coalesce(group_concat(x, ' '), '-') FROM (SELECT source || '/' || category "
		 "AS x FROM listing WHERE expires_at > %lld ORDER BY source, category);\n",
		 (long long)now);
	client_send(&c, sql);
	close(c.in);
	n = read(c.out, text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n - 1] = '\0';
	close(c.out);
	waitpid(c.pid, NULL, 0);
	return text;
}

static int64_t ends(const struct lab *lab, const char *source)
{
	char sql[160];

	snprintf(sql, sizeof(sql), "SELECT expires_at FROM listing WHERE source = '%s'", source);
	return lab_number(lab, sql);
}

/* ---- what is asked ---- */

static void all_is_asked_for_first_and_then_what_changed(void **state)
{
	WITH_STORE;

	poll_once(lab, s, ANSWER(BAN("192.0.2.1"), ""));
	assert_string_equal(url, "http://127.0.0.1:8080/v1/decisions/stream"
				 "?startup=true&scopes=ip,range,as");
	poll_once(lab, s, NOTHING);
	assert_string_equal(url, "http://127.0.0.1:8080/v1/decisions/stream"
				 "?startup=false&scopes=ip,range,as");
	poll_once(lab, s, "{}");
	assert_false(asked_for_all());
	assert_string_equal(live(lab), "192.0.2.1/botnet");
}

static void a_lost_answer_is_made_good_by_a_full_one(void **state)
{
	static const char *const broken[] = { NULL, "", "<html>502</html>", "{\"new\":[",
					      "{\"message\":\"access forbidden\"}" };
	WITH_STORE;

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		poll_once(lab, s, ANSWER(BAN("192.0.2.1"), ""));
		assert_true(asked_for_all());
		poll_once(lab, s, broken[i]);
		assert_false(asked_for_all());
		assert_string_equal(live(lab), "192.0.2.1/botnet");
		poll_once(lab, s, NULL);
		assert_true(asked_for_all());
	}
}

static void after_a_gap_all_is_asked_for(void **state)
{
	WITH_STORE;

	poll_once(lab, s, ANSWER(BAN("192.0.2.1"), ""));
	now += CROWDSEC_GAP - 10;
	poll_once(lab, s, NOTHING);
	assert_false(asked_for_all());
	now += CROWDSEC_GAP + 1;
	poll_once(lab, s, ANSWER(BAN("192.0.2.1"), ""));
	assert_true(asked_for_all());
	now -= HOUR; /* a clock that was set back hides a gap */
	poll_once(lab, s, NOTHING);
	assert_true(asked_for_all());
}

static void filters_and_a_whole_url_are_asked_as_configured(void **state)
{
	struct lab *lab = *state;

	config.url = (char *)"https://lapi.example/cs/v1/decisions/stream?startup=true&dedup=false";
	config.crowdsec.origins = (char *)"cscli,lists";
	config.crowdsec.containing = (char *)"ssh";
	config.crowdsec.not_containing = (char *)"http";
	assert_int_equal(crowdsec_begin(stream, &config, now, url, &lab->why), 0);
	assert_string_equal(url, "https://lapi.example/cs/v1/decisions/stream?startup=true"
				 "&dedup=false&scopes=ip,range,as&origins=cscli,lists"
				 "&scenarios_containing=ssh&scenarios_not_containing=http");
	assert_int_equal(crowdsec_usage_url(&config, url), 0);
	assert_string_equal(url, "https://lapi.example/cs/v1/usage-metrics");
	config.url = (char *)"file:///saved.json";
	assert_int_equal(crowdsec_begin(stream, &config, now, url, &lab->why), 0);
	assert_string_equal(url, "file:///saved.json");
	assert_int_equal(crowdsec_usage_url(&config, url), -EINVAL);
}

static void another_mapping_asks_for_all_and_moves_what_is_listed(void **state)
{
	WITH_STORE;

	poll_once(lab, s, ANSWER(BAN("192.0.2.1") "," BAN("192.0.2.2") "," BAN("192.0.2.3"), ""));
	snprintf(mapping[0].to, sizeof(mapping[0].to), "spam");
	config.limits.max_shrink = 100;
	poll_once(lab, s, ANSWER(BAN("192.0.2.1"), ""));
	assert_true(asked_for_all());
	assert_string_equal(live(lab), "192.0.2.1/botnet 192.0.2.1/spam 192.0.2.2/botnet "
				       "192.0.2.3/botnet");
	poll_once(lab, s, ANSWER(BAN("192.0.2.1"), ""));
	assert_string_equal(live(lab), "192.0.2.1/spam");
}

/* ---- deltas ---- */

static void a_delta_adds_and_ends_what_it_names_and_nothing_else(void **state)
{
	WITH_STORE;

	poll_once(lab, s, ANSWER(BAN("192.0.2.1") "," BAN("192.0.2.2"), ""));
	poll_once(lab, s, ANSWER(BAN("192.0.2.3"), GONE("192.0.2.1")));
	assert_string_equal(live(lab), "192.0.2.2/botnet 192.0.2.3/botnet");
	/* Deleted and new in one answer: deletes count first, though they stand last. */
	poll_once(lab, s, ANSWER(D("ban", "Ip", "192.0.2.2", "8h"), GONE("192.0.2.2")));
	assert_string_equal(live(lab), "192.0.2.2/botnet 192.0.2.3/botnet");
	assert_int_equal(ends(lab, "192.0.2.2"), now + 8 * HOUR);
	/* What was never there. */
	poll_once(lab, s, ANSWER("", GONE("192.0.2.99") "," D("boo", "Ip", "192.0.2.3", "-1s")));
	assert_string_equal(live(lab), "192.0.2.2/botnet 192.0.2.3/botnet");
}

static void an_address_with_two_decisions_is_listed_until_both_are_gone(void **state)
{
	WITH_STORE;

	poll_once(lab, s,
		  ANSWER(D("captcha", "Ip", "192.0.2.1", "8h") "," D("throttle", "Ip", "192.0.2.1",
								     "4h"),
			 ""));
	assert_int_equal(ends(lab, "192.0.2.1"), now + 8 * HOUR);
	poll_once(lab, s, ANSWER("", D("captcha", "Ip", "192.0.2.1", "-1s")));
	assert_string_equal(live(lab), "192.0.2.1/spam");
	assert_int_equal(ends(lab, "192.0.2.1"), NOW + 10 + 4 * HOUR);
	/* A shorter one beside it does not cut it short. */
	poll_once(lab, s, ANSWER(D("captcha", "Ip", "192.0.2.1", "1h"), ""));
	assert_int_equal(ends(lab, "192.0.2.1"), NOW + 10 + 4 * HOUR);
	poll_once(lab, s, ANSWER("", D("throttle", "Ip", "192.0.2.1", "-1s")));
	assert_int_equal(ends(lab, "192.0.2.1"), NOW + 30 + HOUR);
	poll_once(lab, s, ANSWER("", D("captcha", "Ip", "192.0.2.1", "-1s")));
	assert_string_equal(live(lab), "-");
}

static void a_range_of_one_address_is_a_decision_of_its_own(void **state)
{
	WITH_STORE;

	poll_once(lab, s, ANSWER(BAN("192.0.2.1") "," D("ban", "Range", "192.0.2.1/32", "2h"), ""));
	poll_once(lab, s, ANSWER("", GONE("192.0.2.1")));
	assert_string_equal(live(lab), "192.0.2.1/botnet");
	poll_once(lab, s, ANSWER("", D("ban", "Range", "192.0.2.1/32", "-1s")));
	assert_string_equal(live(lab), "-");
}

/* ---- full answers ---- */

static void what_one_full_answer_lacks_stays_and_what_two_lack_ends(void **state)
{
	WITH_STORE;

	poll_once(lab, s, ANSWER(BAN("192.0.2.1") "," BAN("192.0.2.2") "," BAN("192.0.2.3"), ""));
	poll_once(lab, s, NULL);
	poll_once(lab, s, ANSWER(BAN("192.0.2.1") "," BAN("192.0.2.2"), ""));
	assert_true(asked_for_all());
	assert_string_equal(live(lab), "192.0.2.1/botnet 192.0.2.2/botnet 192.0.2.3/botnet");
	/* The other half of it: nothing is missing in both. */
	poll_once(lab, s, ANSWER(BAN("192.0.2.1") "," BAN("192.0.2.3"), ""));
	assert_true(asked_for_all());
	assert_string_equal(live(lab), "192.0.2.1/botnet 192.0.2.2/botnet 192.0.2.3/botnet");
	poll_once(lab, s, NULL);
	poll_once(lab, s, ANSWER(BAN("192.0.2.1") "," BAN("192.0.2.2"), ""));
	poll_once(lab, s, ANSWER(BAN("192.0.2.1") "," BAN("192.0.2.2"), ""));
	assert_string_equal(live(lab), "192.0.2.1/botnet 192.0.2.2/botnet");
	poll_once(lab, s, NOTHING);
	assert_false(asked_for_all());
}

static void two_cut_answers_that_lack_most_end_nothing_and_say_so(void **state)
{
	WITH_STORE;

	poll_once(lab, s, ANSWER(BAN("192.0.2.1") "," BAN("192.0.2.2") "," BAN("192.0.2.3"), ""));
	poll_once(lab, s, NULL);
	poll_once(lab, s, ANSWER(BAN("192.0.2.9"), ""));
	assert_int_equal(kept, 0);
	poll_once(lab, s, ANSWER(BAN("192.0.2.9"), ""));
	assert_int_equal(kept, 3);
	assert_string_equal(live(lab), "192.0.2.1/botnet 192.0.2.2/botnet 192.0.2.3/botnet "
				       "192.0.2.9/botnet");
	/* They end by themselves, or when the stream names them. */
	poll_once(lab, s, ANSWER("", GONE("192.0.2.2")));
	assert_false(asked_for_all());
	assert_string_equal(live(lab), "192.0.2.1/botnet 192.0.2.3/botnet 192.0.2.9/botnet");
	now += 4 * HOUR;
	assert_string_equal(live(lab), "-");
}

static void what_is_kept_is_asked_for_again_within_the_hour(void **state)
{
	WITH_STORE;
	poll_once(lab, s, ANSWER(BAN("192.0.2.1") "," BAN("192.0.2.2") "," BAN("192.0.2.3"), ""));
	poll_once(lab, s, NULL);
	poll_once(lab, s, ANSWER(BAN("192.0.2.9"), ""));
	poll_once(lab, s, ANSWER(BAN("192.0.2.9"), ""));
	assert_int_equal(crowdsec_kept(stream), 3);
	for (int64_t until = now + CROWDSEC_KEPT_AGAIN; now < until - 10;) {
		poll_once(lab, s, NOTHING);
		assert_false(asked_for_all());
		assert_int_equal(crowdsec_kept(stream), 3);
	}
	/* It has them again: that was its database. */
	poll_once(lab, s,
		  ANSWER(BAN("192.0.2.1") "," BAN("192.0.2.2") "," BAN("192.0.2.3") //
			 "," BAN("192.0.2.9"),
			 ""));
	assert_true(asked_for_all());
	assert_int_equal(crowdsec_kept(stream), 0);
	poll_once(lab, s, NOTHING);
	assert_false(asked_for_all());
}

static void after_a_restart_what_is_in_the_database_holds_and_is_reconciled(void **state)
{
	WITH_STORE;
	struct feed_report r;

	poll_once(lab, s, ANSWER(BAN("192.0.2.1") "," BAN("192.0.2.2") "," BAN("192.0.2.3"), ""));
	crowdsec_free(stream);
	assert_int_equal(crowdsec_new(&stream), 0);
	poll_once(lab, s, NULL);
	assert_true(asked_for_all());
	assert_string_equal(live(lab), "192.0.2.1/botnet 192.0.2.2/botnet 192.0.2.3/botnet");
	/* Deleted meanwhile, which a full answer names; the others are told again, not rewritten. */
	r = poll_once(lab, s,
		      ANSWER(D("ban", "Ip", "192.0.2.1", "3h59m40s") "," D("ban", "Ip", "192.0.2.2",
									   "3h59m41s"),
			     GONE("192.0.2.3")));
	assert_counts(&r, 0, 1, 2);
	assert_string_equal(live(lab), "192.0.2.1/botnet 192.0.2.2/botnet");
	/* What is named as deleted is no hole that a second answer would have to confirm. */
	poll_once(lab, s, NOTHING);
	assert_false(asked_for_all());
}

static void listings_that_people_wrote_into_other_feeds_are_not_touched(void **state)
{
	WITH_STORE;

	lab_sql(lab, "INSERT INTO listing(source, category, feed, expires_at) VALUES"
		     " ('192.0.2.1', 'botnet', 'manual', 1900000000)");
	poll_once(lab, s, ANSWER(BAN("192.0.2.1"), ""));
	poll_once(lab, s, ANSWER("", GONE("192.0.2.1")));
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing WHERE feed = 'manual'"), 1);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing WHERE feed = 'lapi'"), 0);
}

/* ---- the real shape ---- */

static char *read_data(const char *name)
{
	const char *shared = getenv("MOAT_SHARED");
	char *text = calloc(1, 65536), path[512];
	_cleanup_fclose_ FILE *f = NULL;

	assert_non_null(text);
	snprintf(path, sizeof(path), "%s/data/crowdsec/synthetic-stream-%s.json",
		 shared ? shared : "../shared", name);
	f = fopen(path, "re");
	if (!f || !fread(text, 1, 65535, f)) {
		print_message("# SKIP: no %s\n", path);
		free(text);
		return NULL;
	}
	return text;
}

static void the_sample_answers_have_their_expected_effect_in_turn(void **state)
{
	_cleanup_free_ char *startup = read_data("startup"), *delta = read_data("delta");
	_cleanup_free_ char *null = read_data("null"), *cut = read_data("dberror-cut");
	struct feed_report r;

	if (!startup || !delta || !null || !cut)
		skip();
	WITH_STORE;
	lab_sql(lab, "INSERT INTO listing(source, category, feed, expires_at) VALUES"
		     " ('192.0.2.65', 'botnet', 'lapi', 1900000000)");
	r = poll_once(lab, s, startup);
	assert_int_equal(r.adds, 6);
	assert_int_equal(r.removes, 1);
	assert_int_equal(r.skipped[FEED_SKIP_SCOPE], 3);
	assert_string_equal(live(lab), "192.0.2.66/botnet 198.51.100.0/24/botnet "
				       "198.51.100.7/botnet 2001:db8:1::5/spam "
				       "2001:db8:bad::/48/spam 203.0.113.9/botnet");
	poll_once(lab, s, delta);
	assert_int_equal(ends(lab, "192.0.2.66"), now + 8 * HOUR);
	assert_string_equal(live(lab), "192.0.2.66/botnet 198.51.100.0/24/botnet "
				       "2001:db8:1::5/spam 2001:db8:bad::/48/spam "
				       "203.0.113.9/botnet");
	r = poll_once(lab, s, null);
	assert_counts(&r, 0, 0, 0);
	poll_once(lab, s, NULL); /* the error, after which the server answers with a cut list */
	r = poll_once(lab, s, cut);
	assert_true(asked_for_all());
	assert_int_equal(r.removes, 0);
	r = poll_once(lab, s, cut);
	assert_true(asked_for_all());
	assert_int_equal(r.removes, 0);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 6);
}

/* ---- the table, against a list that is searched ---- */

#define KEYS 64

struct reference {
	bool there[KEYS];
	int64_t expires[KEYS];
};

static struct feed_row row_of_key(size_t key)
{
	struct feed_row row = { .kind = FEED_ROW_ADD,
				.scope = key % 2 ? FEED_SCOPE_IP : FEED_SCOPE_RANGE };
	char text[32];

	snprintf(text, sizeof(text), "192.0.2.%zu", key / 4 % 8);
	assert_int_equal(prefix_parse(text, &row.source), 0);
	snprintf(row.category, sizeof(row.category), "%s%zu", key / 2 % 2 ? "ban" : "captcha",
		 key / 32);
	snprintf(row.reason, sizeof(row.reason), "cscli: %zu", key);
	return row;
}

struct seen {
	const struct reference *reference;
	size_t source, rows;
};

static int compare_row(void *arg, const struct feed_row *row)
{
	struct seen *seen = arg;
	size_t key = strtoul(row->reason + 7, NULL, 10);
	struct feed_row wanted = row_of_key(key);

	assert_int_equal(key / 4 % 8, seen->source);
	assert_true(seen->reference->there[key]);
	assert_int_equal(row->expires, seen->reference->expires[key]);
	assert_string_equal(row->category, wanted.category);
	assert_int_equal(row->scope, wanted.scope);
	seen->rows++;
	return 0;
}

static void the_table_holds_what_a_plain_list_would(void **state)
{
	_cleanup_(crowdsec_table_freep) struct crowdsec_table *t = NULL;
	struct reference reference = {};
	uint64_t seed = 20261123;

	(void)state;
	assert_int_equal(crowdsec_table_new(&t), 0);
	for (int step = 0; step < 100000; step++) {
		size_t key, there = 0;
		struct feed_row row;

		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		key = seed >> 40 & (KEYS - 1);
		row = row_of_key(key);
		row.expires = 1 + (int64_t)(seed >> 50);
		if (seed >> 63) {
			assert_int_equal(crowdsec_table_add(t, &row), 0);
			if (!reference.there[key] || reference.expires[key] < row.expires)
				reference.expires[key] = row.expires;
			reference.there[key] = true;
		} else {
			crowdsec_table_remove(t, &row);
			reference.there[key] = false;
		}
		if (step % 97)
			continue;
		for (size_t source = 0; source < 8; source++) {
			struct seen seen = { &reference, source, 0 };
			struct feed_row of = row_of_key(source * 4);

			assert_int_equal(crowdsec_table_each(t, &of.source, compare_row, &seen), 0);
			there += seen.rows;
		}
		assert_int_equal(there, crowdsec_table_count(t));
		for (size_t i = 0; i < KEYS; i++)
			there -= reference.there[i];
		assert_int_equal(there, 0);
	}
}

static void the_table_grows(void **state)
{
	_cleanup_(crowdsec_table_freep) struct crowdsec_table *t = NULL;
	struct feed_row row = row_of_key(0);

	(void)state;
	assert_int_equal(crowdsec_table_new(&t), 0);
	for (uint32_t i = 0; i < 100000; i++) {
		memcpy(row.source.addr, &i, sizeof(i));
		assert_int_equal(crowdsec_table_add(t, &row), 0);
	}
	assert_int_equal(crowdsec_table_count(t), 100000);
	for (uint32_t i = 0; i < 100000; i += 2) {
		memcpy(row.source.addr, &i, sizeof(i));
		crowdsec_table_remove(t, &row);
	}
	assert_int_equal(crowdsec_table_count(t), 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_stream(all_is_asked_for_first_and_then_what_changed),
		with_stream(a_lost_answer_is_made_good_by_a_full_one),
		with_stream(after_a_gap_all_is_asked_for),
		with_stream(filters_and_a_whole_url_are_asked_as_configured),
		with_stream(another_mapping_asks_for_all_and_moves_what_is_listed),
		with_stream(a_delta_adds_and_ends_what_it_names_and_nothing_else),
		with_stream(an_address_with_two_decisions_is_listed_until_both_are_gone),
		with_stream(a_range_of_one_address_is_a_decision_of_its_own),
		with_stream(what_one_full_answer_lacks_stays_and_what_two_lack_ends),
		with_stream(two_cut_answers_that_lack_most_end_nothing_and_say_so),
		with_stream(what_is_kept_is_asked_for_again_within_the_hour),
		with_stream(after_a_restart_what_is_in_the_database_holds_and_is_reconciled),
		with_stream(listings_that_people_wrote_into_other_feeds_are_not_touched),
		with_stream(the_sample_answers_have_their_expected_effect_in_turn),
		cmocka_unit_test(the_table_holds_what_a_plain_list_would),
		cmocka_unit_test(the_table_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
