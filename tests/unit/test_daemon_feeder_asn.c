// SPDX-License-Identifier: BSD-2-Clause
/*
 * Lists of AS numbers, expanded by the real child from tables it was handed.
 */
#include <fcntl.h>

#include "tests/unit/feeder_lab.h"
#include "tests/unit/mmdb_lab.h"

#define TABLE "192.0.2.0/24\t64496\n2001:db8::/32\t64496\n198.51.100.0,198.51.100.129,64497\n"

/* A plain job over files of the lab; tables are names, "" could not be opened. */
static const struct feeder_result *run_formatted(struct feeder_lab *lab, const char *list,
						 enum feed_format format, const char *first,
						 const char *second)
{
	struct feeder_job job = { .fd = open(lab_path(lab, list), O_RDONLY | O_CLOEXEC),
				  .parse = { .format = format, .whole = true } };
	const char *const names[] = { first, second };
	const struct feeder_result *result;

	assert_true(job.fd >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(names) && names[i]; i++) {
		int fd = open(lab_path(lab, names[i]), O_RDONLY | O_CLOEXEC);

		job.table[job.tables++] = (struct feeder_table){ names[i], fd < 0 ? -ENOENT : fd };
	}
	result = lab_run(lab, &job);
	for (size_t i = 0; i < job.tables; i++)
		base_closep(&job.table[i].fd);
	return result;
}

static const struct feeder_result *run(struct feeder_lab *lab, const char *table)
{
	return run_formatted(lab, "list", FEED_ASN, table, NULL);
}

static void write_text(struct feeder_lab *lab, const char *name, const char *text)
{
	lab_write(lab, name, text, strlen(text));
}

static void assert_good(const struct feeder_result *r)
{
	if (!r->ok)
		fail_msg("%s", r->why.text);
	assert_int_equal(r->summary.fault, FEED_GOOD);
}

static void assert_failed(const struct feeder_result *r, const char *words)
{
	assert_false(r->ok);
	if (!strstr(r->why.text, words))
		fail_msg("'%s' does not say '%s'", r->why.text, words);
}

static void assert_asn(const struct feeder_result *r, uint64_t asns, uint64_t found,
		       uint64_t prefixes)
{
	assert_int_equal(r->summary.asns, asns);
	assert_int_equal(r->summary.asns_found, found);
	assert_int_equal(r->summary.asn_prefixes, prefixes);
}

/* ---- text ---- */

static void as_numbers_become_the_prefixes_of_the_table(void **state)
{
	struct feeder_lab *lab = *state;
	const struct feeder_result *r;

	write_text(lab, "list", "AS64496 ; bad\n64497\n64511\n");
	write_text(lab, "table", TABLE);
	r = run(lab, "table");
	assert_good(r);
	assert_asn(r, 3, 2, 4);
	assert_int_equal(lab->rows, 5);
	assert_int_equal(r->summary.entries, 5);
	assert_string_equal(lab_source(lab, 0), "192.0.2.0/24");
	assert_string_equal(lab->row[0].reference, "AS64496");
	assert_string_equal(lab->row[0].reason, "bad");
	assert_string_equal(lab_source(lab, 1), "2001:db8::/32");
	assert_string_equal(lab_source(lab, 2), "198.51.100.0/25");
	assert_string_equal(lab_source(lab, 3), "198.51.100.128/31");
	assert_string_equal(lab->row[3].reference, "AS64497");
	assert_int_equal(lab->row[4].kind, FEED_ROW_ASN); /* in no table: counted, not lost */
	assert_int_equal(lab->row[4].asn, 64511);
}

static void without_a_table_as_numbers_come_as_they_are(void **state)
{
	struct feeder_lab *lab = *state;
	const struct feeder_result *r;

	write_text(lab, "list", "AS64496\nAS64497\n");
	r = run(lab, NULL);
	assert_good(r);
	assert_asn(r, 2, 0, 0);
	assert_int_equal(lab->rows, 2);
	assert_int_equal(lab->row[1].kind, FEED_ROW_ASN);
}

static void as_numbers_among_addresses_are_expanded(void **state)
{
	struct feeder_lab *lab = *state;

	write_text(lab, "list", "203.0.113.9\nAS64497 # bad\nas5.example.net\n");
	write_text(lab, "table", TABLE);
	assert_asn(run_formatted(lab, "list", FEED_PLAIN, "table", NULL), 1, 1, 2);
	assert_int_equal(lab->rows, 3);
	assert_string_equal(lab_source(lab, 1), "198.51.100.0/25");
	assert_int_equal(run_formatted(lab, "list", FEED_PLAIN, NULL, NULL)
				 ->summary.skipped[FEED_SKIP_SCOPE],
			 2);
}

static void two_tables_add_up(void **state)
{
	struct feeder_lab *lab = *state;

	write_text(lab, "list", "AS64496\n");
	write_text(lab, "table", TABLE);
	write_text(lab, "second", "192.0.3.0/24\t64496\n");
	assert_asn(run_formatted(lab, "list", FEED_ASN, "table", "second"), 1, 1, 2);
	assert_string_equal(lab_source(lab, 0), "192.0.2.0/23");
}

static void a_table_that_cannot_be_used_fails_the_fetch_and_says_which(void **state)
{
	struct feeder_lab *lab = *state;

	write_text(lab, "list", "AS64496\n");
	write_text(lab, "broken", "<html>not found</html>\nx\ny\nz\n");
	write_text(lab, "table", TABLE);
	assert_failed(run(lab, "nosuch"), "asn_table 'nosuch' cannot be used: No such file");
	assert_failed(run(lab, "broken"), "asn_table 'broken' cannot be used: ");
	assert_failed(run_formatted(lab, "list", FEED_ASN, "table", "broken"), "'broken'");
	assert_failed(run(lab, "."), "asn_table '.' cannot be used");
}

static void a_list_without_as_numbers_does_not_look_at_the_table(void **state)
{
	struct feeder_lab *lab = *state;

	write_text(lab, "list", "192.0.2.1\n");
	assert_good(run_formatted(lab, "list", FEED_PLAIN, "nosuch", NULL));
	assert_int_equal(lab->rows, 1);
}

static void decisions_on_an_as_are_expanded_and_ended_in_their_order(void **state)
{
	static const char list[] =
		"{\"new\":[{\"id\":1,\"origin\":\"cscli\",\"type\":\"ban\",\"scope\":\"AS\","
		"\"value\":\"64497\",\"duration\":\"4h\",\"scenario\":\"x\"}],"
		"\"deleted\":[{\"id\":2,\"origin\":\"cscli\",\"type\":\"ban\",\"scope\":\"as\","
		"\"value\":\"AS64496\",\"duration\":\"-4h\",\"scenario\":\"x\"}]}";
	struct feeder_lab *lab = *state;
	const struct feeder_result *r;

	write_text(lab, "list", list);
	write_text(lab, "table", TABLE);
	r = run_formatted(lab, "list", FEED_CROWDSEC, "table", NULL);
	assert_good(r);
	assert_int_equal(lab->rows, 4);
	assert_int_equal(lab->row[0].kind, FEED_ROW_REMOVE);
	assert_string_equal(lab_source(lab, 0), "192.0.2.0/24");
	assert_int_equal(lab->row[2].kind, FEED_ROW_ADD);
	assert_string_equal(lab_source(lab, 2), "198.51.100.0/25");
	assert_string_equal(lab->row[2].reference, "AS64497 1");
	r = run_formatted(lab, "list", FEED_CROWDSEC, NULL, NULL);
	assert_int_equal(r->summary.skipped[FEED_SKIP_SCOPE], 2);
	assert_int_equal(lab->rows, 0);
}

/* ---- mmdb ---- */

static struct mmdb_lab *new_mmdb(unsigned int ip_version, unsigned int record_size, const char *key)
{
	struct mmdb_lab *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->ip_version = ip_version;
	m->record_size = record_size;
	m->type = "GeoLite2-ASN";
	m->key = key;
	mmdb_lab_begin(m);
	return m;
}

static void a_database_of_each_record_size_is_walked(void **state)
{
	static const unsigned int sizes[] = { 24, 28, 32 };
	static const char *const keys[] = { "autonomous_system_number", "asn" };
	struct feeder_lab *lab = *state;

	write_text(lab, "list", "AS64496\nAS64497\n");
	for (size_t i = 0; i < ARRAY_SIZE(sizes) * ARRAY_SIZE(keys); i++) {
		_cleanup_free_ struct mmdb_lab *m =
			new_mmdb(6, sizes[i % ARRAY_SIZE(sizes)], keys[i / ARRAY_SIZE(sizes)]);

		mmdb_lab_add(m, "192.0.2.0/24", 64496);
		mmdb_lab_add(m, "198.51.100.128/25", 64497);
		mmdb_lab_add(m, "2001:db8::/32", 64496);
		mmdb_lab_add(m, "2001:db9::1/128", 64497);
		mmdb_lab_end(m);
		lab_write(lab, "mmdb", m->bytes, m->size);
		assert_good(run(lab, "mmdb"));
		assert_asn(&lab->result, 2, 2, 4);
		assert_string_equal(lab_source(lab, 0), "192.0.2.0/24");
		assert_string_equal(lab_source(lab, 1), "2001:db8::/32");
		assert_string_equal(lab_source(lab, 2), "198.51.100.128/25");
		assert_string_equal(lab_source(lab, 3), "2001:db9::1");
	}
}

static void a_database_of_ipv4_is_walked(void **state)
{
	_cleanup_free_ struct mmdb_lab *m = new_mmdb(4, 24, "autonomous_system_number");
	struct feeder_lab *lab = *state;

	write_text(lab, "list", "AS64496\n");
	mmdb_lab_add(m, "192.0.2.0/24", 64496);
	mmdb_lab_add(m, "192.0.3.7/32", 64496);
	mmdb_lab_end(m);
	lab_write(lab, "mmdb", m->bytes, m->size);
	assert_good(run(lab, "mmdb"));
	assert_asn(&lab->result, 1, 1, 2);
	assert_string_equal(lab_source(lab, 1), "192.0.3.7");
}

/* 2002::/16 points to where IPv4 lies: blocking 6to4 of everybody was not asked for. */
static void an_alias_of_ipv4_is_not_walked_again(void **state)
{
	_cleanup_free_ struct mmdb_lab *m = new_mmdb(6, 28, "autonomous_system_number");
	struct feeder_lab *lab = *state;
	struct prefix alias = {};
	uint32_t at = 0;

	write_text(lab, "list", "AS64496\n");
	mmdb_lab_add(m, "192.0.2.0/24", 64496);
	for (int i = 0; i < 96; i++)
		at = m->node[at][0];
	assert_int_equal(prefix_parse("2002::/16", &alias), 0);
	mmdb_lab_point(m, &alias, at);
	mmdb_lab_end(m);
	lab_write(lab, "mmdb", m->bytes, m->size);
	assert_good(run(lab, "mmdb"));
	assert_asn(&lab->result, 1, 1, 1);
	assert_string_equal(lab_source(lab, 0), "192.0.2.0/24");
}

static void a_database_that_lies_does_no_harm_and_is_refused(void **state)
{
	_cleanup_free_ struct mmdb_lab *m = new_mmdb(6, 24, "autonomous_system_number");
	struct feeder_lab *lab = *state;

	write_text(lab, "list", "AS64496\n");
	mmdb_lab_add(m, "2001:db8::/32", 64496);
	m->node[5][1] = 2; /* a loop */
	mmdb_lab_end(m);
	lab_write(lab, "loop", m->bytes, m->size);
	assert_failed(run(lab, "loop"), "has a loop");
	m->node[5][1] = 0x700000; /* far behind its end */
	mmdb_lab_end(m);
	lab_write(lab, "wild", m->bytes, m->size);
	assert_failed(run(lab, "wild"), "asn_table 'wild' cannot be used: the database");
	m->node[5][1] = MMDB_LAB_EMPTY;
	m->key = "country";
	m->type = "GeoLite2-Country";
	mmdb_lab_end(m);
	lab_write(lab, "country", m->bytes, m->size);
	assert_failed(run(lab, "country"), "'GeoLite2-Country' without AS numbers");
	lab_write(lab, "cut", m->bytes + 40, m->size - 40);
	assert_false(run(lab, "cut")->ok);
}

static void the_hostile_databases_of_maxmind_do_no_harm(void **state)
{
	static const char *const names[] = {
		"bad/bad-unicode-in-map-key.mmdb",
		"bad/invalid-bytes-length.mmdb",
		"bad/invalid-map-key-length.mmdb",
		"bad/libmaxminddb-corrupt-search-tree.mmdb",
		"bad/libmaxminddb-deep-nesting.mmdb",
		"bad/libmaxminddb-empty-map-last-in-metadata.mmdb",
		"bad/libmaxminddb-offset-integer-overflow.mmdb",
		"bad/libmaxminddb-oversized-map.mmdb",
		"bad/libmaxminddb-separator-record-min-left.mmdb",
		"bad/libmaxminddb-uint64-max-epoch.mmdb",
		"bad/unexpected-bytes.mmdb",
		"GeoIP2-Country-Test.mmdb",
		"MaxMind-DB-test-broken-pointers-24.mmdb",
		"MaxMind-DB-test-broken-search-tree-24.mmdb",
		"MaxMind-DB-test-ipv4-32.mmdb",
	};
	const char *shared = getenv("MOAT_SHARED") ?: "../shared";
	struct feeder_lab *lab = *state;

	write_text(lab, "list", "AS1221\n");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *real = NULL;
		char path[512];

		snprintf(path, sizeof(path), "%s/data/mmdb/%s", shared, names[i]);
		if (access(path, R_OK)) {
			print_message("SKIPPED: no %s; set MOAT_SHARED\n", path);
			skip();
		}
		/* Not a word of a signal: the child itself found out. */
		real = realpath(path, NULL);
		assert_non_null(real);
		unlink(lab_path(lab, "mmdb"));
		assert_int_equal(symlink(real, lab_path(lab, "mmdb")), 0);
		assert_failed(run(lab, "mmdb"), "asn_table 'mmdb' cannot be used: ");
		print_message("# %s: %s\n", names[i], strrchr(lab->result.why.text, ':'));
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		with_feeder(as_numbers_become_the_prefixes_of_the_table),
		with_feeder(without_a_table_as_numbers_come_as_they_are),
		with_feeder(as_numbers_among_addresses_are_expanded),
		with_feeder(two_tables_add_up),
		with_feeder(a_table_that_cannot_be_used_fails_the_fetch_and_says_which),
		with_feeder(a_list_without_as_numbers_does_not_look_at_the_table),
		with_feeder(decisions_on_an_as_are_expanded_and_ended_in_their_order),
		with_feeder(a_database_of_each_record_size_is_walked),
		with_feeder(a_database_of_ipv4_is_walked),
		with_feeder(an_alias_of_ipv4_is_not_walked_again),
		with_feeder(a_database_that_lies_does_no_harm_and_is_refused),
		with_feeder(the_hostile_databases_of_maxmind_do_no_harm),
	};

	feeder_lab_main(argc, argv, NULL);
	return cmocka_run_group_tests_name("daemon/feeder_asn", tests, NULL, NULL);
}
