/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What moatctl prints, from JSON as the daemon sends it: tests/golden/cli has
 * NAME.json and, byte for byte, NAME.txt. GOLDEN=write makes the texts anew;
 * then read the difference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/client.h"
#include "cli/show.h"
#include "core/when.h"

#define GOLDEN "tests/golden/cli/"
#define NOW    "2026-11-23T11:00:00Z"

static void show_table_of(const struct cli *cli, const json_t *json)
{
	struct table table = {};

	show_listings(cli, json_object_get(json, "listings"), &table, "");
	table_free(&table);
}

static void show_removed_of(const struct cli *cli, const json_t *json)
{
	show_removed(cli, "192.0.2.1", json);
}

static void show_feeds_of(const struct cli *cli, const json_t *json)
{
	show_feeds(cli, json_object_get(json, "feeds"));
}

struct golden {
	const char *name;
	void (*show)(const struct cli *cli, const json_t *json);
	bool colour;
	const char *text; /* NULL: the name's */
};

static const struct golden goldens[] = {
	{ "status_ok", show_status, false, NULL },
	{ "status_sieve", show_status, false, NULL },
	{ "status_sieve_asks", show_status, false, NULL },
	{ "status_sieve_off", show_status, false, NULL },
	{ "status_sieve_lost", show_status, false, NULL },
	{ "status_replies", show_status, false, NULL },
	{ "status_degraded", show_status, false, NULL },
	{ "status_degraded", show_status, true, "status_degraded_colour" },
	{ "listings", show_table_of, false, NULL },
	{ "listings_claims", show_table_of, false, NULL },
	{ "listings_hostile", show_table_of, false, NULL },
	{ "listings_none", show_table_of, false, NULL },
	{ "explain_drop", show_explain, false, NULL },
	{ "explain_replies", show_explain, false, NULL },
	{ "explain_clean", show_explain, false, NULL },
	{ "explain_full", show_explain, false, NULL },
	{ "explain_differ", show_explain, false, NULL },
	{ "explain_differ", show_explain, true, "explain_differ_colour" },
	{ "explain_limit", show_explain, false, NULL },
	{ "explain_hits", show_explain, false, NULL },
	{ "explain_flood", show_explain, false, NULL },
	{ "explain_unseen", show_explain, false, NULL },
	{ "top", show_top, false, NULL },
	{ "top_none", show_top, false, NULL },
	{ "top_off", show_top, false, NULL },
	{ "explain_tag", show_explain, false, NULL },
	{ "explain_quorum", show_explain, false, NULL },
	{ "explain_shared", show_explain, false, NULL },
	{ "audit", show_audit, false, NULL },
	{ "audit_whole", show_audit_proof, false, NULL },
	{ "audit_broken", show_audit_proof, false, NULL },
	{ "removed", show_removed_of, false, NULL },
	{ "removed_all", show_removed_of, false, NULL },
	{ "paused", show_paused, false, NULL },
	{ "resumed", show_paused, false, NULL },
	{ "feeds", show_feeds_of, false, NULL },
	{ "feeds_none", show_feeds_of, false, NULL },
	{ "import", show_report, false, NULL },
	{ "import_held", show_report, false, NULL },
	{ "import_refused", show_report, false, NULL },
	{ "import_refused", show_report, true, "import_refused_colour" },
};

/* Owned by the caller; "" if there is no such file. */
static char *read_file(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char *text = calloc(1, 65536);

	assert_non_null(text);
	if (f)
		text[fread(text, 1, 65535, f)] = '\0';
	return text;
}

static void write_file(const char *path, const char *text)
{
	_cleanup_fclose_ FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
}

static void check(const struct golden *g)
{
	char json_path[128], text_path[128];
	struct cli cli = { .colour = g->colour };
	_cleanup_free_ char *expected = NULL, *shown = NULL;
	json_t *json;
	size_t size;

	snprintf(json_path, sizeof(json_path), GOLDEN "%s.json", g->name);
	snprintf(text_path, sizeof(text_path), GOLDEN "%s.txt", g->text ? g->text : g->name);
	assert_int_equal(when_parse(NOW, &cli.now), 0);
	json = json_load_file(json_path, JSON_REJECT_DUPLICATES, NULL);
	if (!json)
		fail_msg("%s: is missing or no JSON (run from the top of the tree)", json_path);
	cli.out = open_memstream(&shown, &size);
	assert_non_null(cli.out);
	g->show(&cli, json);
	assert_int_equal(fclose(cli.out), 0);
	json_decref(json);
	if (getenv("GOLDEN"))
		write_file(text_path, shown);
	expected = read_file(text_path);
	if (strcmp(shown, expected) != 0)
		fail_msg("%s differs; shown is:\n%s", text_path, shown);
}

static void what_is_shown_is_what_was_agreed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++)
		check(&goldens[i]);
}

static void nothing_from_the_daemon_moves_the_cursor(void **state)
{
	static const struct {
		const char *in, *out;
	} texts[] = {
		{ "plain", "plain" },
		{ "d\xc3\xa9j\xc3\xa0", "d\xc3\xa9j\xc3\xa0" },
		{ "\033[2J", "?[2J" },
		{ "a\rb\nc\td\x7f", "a?b?c?d?" },
		{ "\302\23331m", "?31m" },
		{ "\xc2\xa0", "\xc2\xa0" },
		{ "\xe2\x80\xae", "?" },
		{ "\xe2\x81\xa6", "?" },
		{ "\xff\xc0\x80", "???" },
		{ "\xe2\x82\xac", "\xe2\x82\xac" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct text clean = {};

		clean_text(&clean, texts[i].in);
		assert_string_equal(clean.data, texts[i].out);
		text_free(&clean);
	}
}

static void columns_line_up_by_characters_not_bytes(void **state)
{
	_cleanup_free_ char *shown = NULL;
	struct table table = { .columns = 2 };
	size_t size;
	FILE *out = open_memstream(&shown, &size);

	(void)state;
	table_add(&table, TINT_NONE, "d\xc3\xa9j\xc3\xa0");
	table_add(&table, TINT_NONE, "x");
	table_add(&table, TINT_NONE, "ab");
	table_add(&table, TINT_NONE, "y");
	table_add(&table, TINT_NONE, "abc");
	table_add(&table, TINT_NONE, "");
	table_flush(&table, out, false, "");
	table_free(&table);
	fclose(out);
	assert_string_equal(shown, "d\xc3\xa9j\xc3\xa0  x\nab    y\nabc\n");
}

static void counts_have_separators(void **state)
{
	char buf[SHOW_MAX];

	(void)state;
	assert_string_equal(show_count(0, buf), "0");
	assert_string_equal(show_count(999, buf), "999");
	assert_string_equal(show_count(1000, buf), "1,000");
	assert_string_equal(show_count(-1234567, buf), "-1,234,567");
	assert_string_equal(show_count(INT64_MAX, buf), "9,223,372,036,854,775,807");
	assert_string_equal(show_count(-100, buf), "-100");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_shown_is_what_was_agreed),
		cmocka_unit_test(nothing_from_the_daemon_moves_the_cursor),
		cmocka_unit_test(columns_line_up_by_characters_not_bytes),
		cmocka_unit_test(counts_have_separators),
	};

	return cmocka_run_group_tests_name("cli show", tests, NULL, NULL);
}
