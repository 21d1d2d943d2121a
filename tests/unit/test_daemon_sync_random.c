/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Thousands of random changes of the table, with whatever can fail failing now
 * and then, and the daemon killed at any write; after which the maps must say
 * what the table says.
 *
 * MOAT_SEED and MOAT_ROUNDS for long runs by hand.
 */
#include "tests/unit/sync_lab.h"

#include "tests/unit/core_oracle.h"

#define ROUNDS	60
#define STEPS	60 /* changes between two checks, at most */
#define SQL_MAX 1024

static struct random rnd;

static bool one_in(uint32_t n)
{
	return !random_below(&rnd, n);
}

static const char *pick(const char *const *from, size_t count)
{
	return from[random_below(&rnd, (uint32_t)count)];
}
#define PICK(array) pick(array, ARRAY_SIZE(array))

/* ---- rows ---- */

static const char *const feeds[] = { "'manual'", "'f1'", "'f1'", "'f2'", "'never_block'" };
static const char *const categories[] = { "'botnet'",	"'ssh'",   "'scraper'", "'scanner'",
					  "'research'", "'allow'", "'botnet'" };
static const char *const odd_names[] = { "'unknown'", "''", "'selftest'", "x'00ff'",
					 "'a b'",     "12", "'Botnet'" };
static const char *const odd_sources[] = {
	"''",
	"'nonsense'",
	"'1.2.3'",
	"'20.0.0.1/8'",
	"'0.0.0.0/0'",
	"'::'",
	"'fe80::1'",
	"'2400:CB00::1'",
	"x'01'",
	"12345",
	"'20.0.0.1/33'",
	"' 20.0.0.1'",
	"'20.0.0.0/7'",
	"'2400::/18'",
	"'20.9.9.9'",
	"'20.9.0.0/17'",
	"'::ffff:20.0.0.1'",
	"'2400:cb00::'",
	"'020.0.0.1'",
	"'20.0.0.1 '",
};

static const char *odd_or(const char *good, const char *const *odd, size_t count)
{
	return one_in(20) ? pick(odd, count) : good;
}

/* A source in a small space, so that they nest and come again. */
static void random_source(char ret[64])
{
	static const uint8_t lengths4[] = { 9, 12, 16, 20, 24, 28, 30, 31, 32, 32, 32, 32 };
	static const uint8_t lengths6[] = { 19, 32, 48, 56, 64, 127, 128, 128, 128 };
	struct prefix p = { .family = one_in(3) ? MOAT_IPV6 : MOAT_IPV4 };
	bool v4 = p.family == MOAT_IPV4;
	char text[PREFIX_TEXT_MAX];

	if (v4) {
		memcpy(p.addr, (uint8_t[]){ 20, 0, 0, 0 }, 4);
		p.addr[1] = (uint8_t)random_below(&rnd, 2);
		p.addr[2] = (uint8_t)random_below(&rnd, 2) * 16;
		p.addr[3] = (uint8_t)random_below(&rnd, 12);
		p.len = lengths4[random_below(&rnd, sizeof(lengths4))];
	} else {
		memcpy(p.addr, (uint8_t[]){ 0x24, 0x00, 0xcb, 0x00 }, 4);
		p.addr[5] = (uint8_t)random_below(&rnd, 2);
		p.addr[7] = (uint8_t)random_below(&rnd, 2);
		p.addr[15] = (uint8_t)random_below(&rnd, 8);
		p.len = lengths6[random_below(&rnd, sizeof(lengths6))];
	}
	oracle_mask(&p);
	snprintf(ret, 64, "'%s'",
		 one_in(3) ? prefix_format_cidr(&p, text) : prefix_format(&p, text));
}

static void random_expiry(char ret[32])
{
	static const char *const odd[] = { "'soon'", "-5", "0", "99999999999999", "1.5", "x'31'" };

	if (one_in(20))
		snprintf(ret, 32, "%s", PICK(odd));
	else if (one_in(2))
		snprintf(ret, 32, "NULL");
	else
		snprintf(ret, 32, "%lld",
			 (long long)lab_now() - 5 + (long long)random_below(&rnd, 90));
}

static const char *random_confidence(void)
{
	static const char *const odd[] = { "101", "-1", "'high'", "50.5" };

	return one_in(15) ? PICK(odd) : one_in(3) ? "50" : "NULL";
}

/* A condition that holds for one row, or none. */
static void one_row(char ret[96])
{
	int64_t count = lab_sql_number("SELECT count(*) FROM listing");

	snprintf(ret, 96, "rowid = (SELECT rowid FROM listing ORDER BY rowid LIMIT 1 OFFSET %u)",
		 count ? random_below(&rnd, (uint32_t)count) : 0);
}

static void change_key(char *sql)
{
	char source[64], row[96];

	random_source(source);
	one_row(row);
	if (one_in(2))
		snprintf(sql, SQL_MAX, "UPDATE OR REPLACE listing SET source = %s WHERE %s", source,
			 row);
	else
		snprintf(sql, SQL_MAX, "UPDATE OR IGNORE listing SET %s = %s WHERE %s",
			 one_in(2) ? "category" : "feed", PICK(categories), row);
}

static void add_row(char *sql)
{
	char source[64], expiry[32];

	random_source(source);
	random_expiry(expiry);
	snprintf(sql, SQL_MAX,
		 "INSERT OR %s INTO listing (source, category, feed, confidence, expires_at)"
		 " VALUES (%s, %s, %s, %s, %s)",
		 one_in(3) ? "IGNORE" : "REPLACE",
		 odd_or(source, odd_sources, ARRAY_SIZE(odd_sources)),
		 odd_or(PICK(categories), odd_names, ARRAY_SIZE(odd_names)),
		 odd_or(PICK(feeds), odd_names, ARRAY_SIZE(odd_names)), random_confidence(),
		 expiry);
}

static void random_sql(char *sql)
{
	char expiry[32], row[96];

	switch (random_below(&rnd, 12)) {
	case 0:
		change_key(sql);
		return;
	case 1:
	case 2:
		random_expiry(expiry);
		one_row(row);
		snprintf(sql, SQL_MAX, "UPDATE listing SET expires_at = %s WHERE %s", expiry, row);
		return;
	case 3:
		one_row(row);
		snprintf(sql, SQL_MAX, "UPDATE listing SET confidence = %s WHERE %s",
			 random_confidence(), row);
		return;
	case 4:
	case 5:
		one_row(row);
		snprintf(sql, SQL_MAX, "DELETE FROM listing WHERE %s", row);
		return;
	case 6:
		snprintf(sql, SQL_MAX, "DELETE FROM listing WHERE %s", one_in(8) ? "1" : "0");
		if (one_in(2))
			snprintf(sql, SQL_MAX,
				 "DELETE FROM listing WHERE category = %s AND feed = %s",
				 PICK(categories), PICK(feeds));
		return;
	default:
		add_row(sql);
	}
}

static void change_table(void)
{
	unsigned int count = 1 + random_below(&rnd, 4);
	bool transaction = one_in(3);
	char sql[SQL_MAX];

	if (transaction)
		lab_sql("BEGIN");
	for (unsigned int i = 0; i < count; i++) {
		random_sql(sql);
		lab_sql("%s", sql);
	}
	if (transaction)
		lab_sql(one_in(4) ? "ROLLBACK" : "COMMIT");
}

/* ---- what goes wrong ---- */

static struct {
	unsigned int entries; /* one in so many puts fails; 0: none does */
	unsigned int calls;   /* one in so many of anything fails */
	long left;	      /* writes until nothing works any more; -1: no end */
} trouble;

static int hurt(void *arg, enum fake_op op, const struct prefix *source)
{
	struct moat_source value;

	(void)arg;
	if (trouble.left >= 0 && op != FAKE_READ && trouble.left-- == 0) {
		trouble.left = 0;
		return -EPERM;
	}
	if (trouble.calls && one_in(trouble.calls))
		return -EPERM;
	if (op != FAKE_PUT || !trouble.entries || !one_in(trouble.entries))
		return 0;
	/* What is there is written in place, which takes no room. */
	return one_in(2) && tables_get(lab.tables, source, &value) ? -ENOSPC : -EBUSY;
}

static void no_trouble(void)
{
	memset(lab_fault, 0, sizeof(lab_fault));
	trouble = (typeof(trouble)){ .left = -1 };
}

static void new_trouble(void)
{
	static const int errors[] = { -EBUSY, -EIO, -ENOENT, -EACCES, -ESTALE, -EPROTO };

	no_trouble();
	if (one_in(3))
		lab_fault[random_below(&rnd, LAB_CALLS)] = (struct lab_fault){
			.error = errors[random_below(&rnd, ARRAY_SIZE(errors))],
			.after = random_below(&rnd, 8),
		};
	if (one_in(4))
		trouble.entries = 2 + random_below(&rnd, 20);
	if (one_in(6))
		trouble.calls = 10 + random_below(&rnd, 100);
	if (one_in(6))
		trouble.left = random_below(&rnd, 120);
}

static const char *const configs[] = {
	LAB_CATEGORIES "capacity: { ipv4: 30, ipv6: 12 }\n",
	LAB_CATEGORIES "capacity: { ipv4: 30, ipv6: 12 }\nguards: { min_prefix_v4: 16 }\n",
	"categories:\n"
	"  research: { action: drop, protocol: udp }\n"
	"  unknown: { action: tag, mark: 9 }\n"
	"  botnet: { action: monitor }\n"
	"  ssh: { action: drop, protocol: tcp, ports: [22] }\n"
	"capacity: { ipv4: 30, ipv6: 12 }\n",
	"categories:\n"
	"  botnet: { action: drop, k_of: 2 }\n"
	"  ssh: { action: drop, protocol: tcp, ports: [22], k_of: 2 }\n"
	"  scraper: { action: limit, rate: 10pps }\n"
	"  scanner: { action: shared, mark: 7 }\n"
	"  research: { action: monitor }\n"
	"capacity: { ipv4: 30, ipv6: 12 }\n",
	"categories:\n"
	"  botnet: { action: drop, k_of: 2 }\n"
	"  ssh: { action: drop }\n"
	"  scraper: { action: shared, dscp: 1 }\n"
	"  scanner: { action: shared, mark: 7 }\n"
	"  research: { action: tag, mark: 1, k_of: 3 }\n"
	"manual: { trusted: false }\n"
	"feeds:\n"
	"  - { name: f1, url: 'file:///f1', category: botnet, group: g }\n"
	"  - { name: f2, url: 'file:///f2', category: botnet, group: g }\n"
	"capacity: { ipv4: 30, ipv6: 12 }\n",
};

static void new_config(void)
{
	lab_config(configs[random_below(&rnd, ARRAY_SIZE(configs))]);
	lab.nevers = 0;
	lab_never("20.9.0.0/16");
	if (one_in(3))
		lab_never("20.0.16.3");
	if (one_in(3))
		lab_never("2400:cb00:1::/48");
}

/* What is refused changes nothing; what is not is in force, if not now then later. */
static void reload(void)
{
	struct config *before = lab.config;
	struct prefix never[LAB_NEVERS];
	size_t nevers = lab.nevers;

	memcpy(never, lab.never, sizeof(never));
	lab.config = NULL;
	new_config();
	if (sync_reload(lab.sync, lab.config, lab.never, lab.nevers, &lab.why) == 0) {
		config_free(before);
		return;
	}
	config_free(lab.config);
	lab.config = before;
	lab.nevers = nevers;
	memcpy(lab.never, never, sizeof(never));
}

static void prune_all(void)
{
	lab_sql("BEGIN; INSERT INTO writer VALUES ('t', 't'); DELETE FROM change;"
		" DELETE FROM writer; COMMIT");
}

static void step(void)
{
	change_table();
	switch (random_below(&rnd, 24)) {
	case 0:
		new_trouble();
		break;
	case 1:
		no_trouble();
		break;
	case 2:
		lab_restart();
		break;
	case 3:
		reload();
		break;
	case 4:
		if (one_in(4))
			prune_all();
		break;
	case 5:
		if (one_in(3))
			lab_set_wall(lab_now() - 100 + (int64_t)random_below(&rnd, 200));
		break;
	case 6:
	case 7:
		lab_pass(random_below(&rnd, 20));
	}
	if (!one_in(3))
		lab_follow();
	if (fake_tables_wrong(lab.tables))
		fail_msg("%s", fake_tables_wrong(lab.tables));
}

static uint64_t env_number(const char *name, uint64_t preset)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : preset;
}

/* Maps in which some of what capacity promises may be missing. */
static void new_maps(void)
{
	lab_maps(30 + random_below(&rnd, 12), 12 + random_below(&rnd, 12),
		 one_in(2) ? 100 : 2 + random_below(&rnd, 20));
	fake_tables_fail(lab.tables, hurt, NULL);
	lab_restart();
}

static void after_any_trouble_the_kernel_says_what_the_table_says(void **state)
{
	uint64_t seed = env_number("MOAT_SEED", 0x6d6f6174);
	uint64_t rounds = env_number("MOAT_ROUNDS", ROUNDS);

	(void)state;
	rnd = (struct random){ seed };
	no_trouble();
	new_config();
	new_maps();
	assert_int_equal(lab_start(), 0);
	for (uint64_t round = 0; round < rounds; round++) {
		if (one_in(10)) {
			no_trouble();
			new_maps();
		}
		for (uint32_t steps = random_below(&rnd, STEPS); steps; steps--)
			step();
		no_trouble();
		if (lab_settle())
			fail_msg("round %llu: does not heal: %s", (unsigned long long)round,
				 lab.why.text);
		lab_check();
		for (int wait = 0; wait < 3 && !lab_numbers().plans_cut_now; wait++) {
			lab_pass(random_below(&rnd, 30));
			lab_check_packets();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(after_any_trouble_the_kernel_says_what_the_table_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
