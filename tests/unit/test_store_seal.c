/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The chain of the audit log: what is sealed is proved whole, and whatever is
 * done to it behind moatd's back is found, and where.
 */
#include "store/seal.h"
#include "tests/unit/test_store_lab.h"

#define ENTRIES 20

/* As who has the file and no regard for triggers. */
static void tamper(const struct lab *lab, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(lab->path, &db), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_not_equal(sqlite3_total_changes(db), 0);
	sqlite3_close(db);
}

static void write_entries(struct lab *lab, struct store *s, int count)
{
	char detail[32];

	for (int i = 0; i < count; i++) {
		snprintf(detail, sizeof(detail), "detail %d", i);
		assert_int_equal(store_audit(s, &(struct actor){ "root", "test" }, 1000 + i,
					     "attach", detail, &lab->why),
				 0);
	}
}

static struct audit_sealed seal_all(struct lab *lab, struct store *s, struct audit_head *head)
{
	struct audit_sealed sealed;
	size_t count = 0;

	do {
		if (store_audit_seal(s, head, &sealed, &lab->why))
			fail_msg("%s", lab->why.text);
		count += sealed.sealed;
	} while (sealed.more && !sealed.fault);
	sealed.sealed = count;
	return sealed;
}

static struct audit_walk walk_from(struct lab *lab, struct store *s, struct audit_head at,
				   struct audit_head noted)
{
	struct audit_walk walk = { .at = at, .noted = noted };

	while (!walk.done)
		if (store_audit_walk(s, &walk, &lab->why))
			fail_msg("%s", lab->why.text);
	return walk;
}

static struct audit_walk prove(struct lab *lab, struct store *s, struct audit_head noted)
{
	return walk_from(lab, s, AUDIT_START, noted);
}

/* A log of ENTRIES, sealed; *ret_head is its head. */
static struct store *sealed_log(struct lab *lab, struct audit_head *ret_head)
{
	struct store *s = lab_open(lab);
	struct audit_walk walk;

	*ret_head = AUDIT_START;
	write_entries(lab, s, ENTRIES);
	assert_int_equal(seal_all(lab, s, ret_head).sealed, ENTRIES);
	walk = prove(lab, s, *ret_head);
	assert_int_equal(walk.fault, AUDIT_WHOLE);
	assert_int_equal(walk.entries, ENTRIES);
	return s;
}

static void assert_fault(const struct audit_walk *walk, enum audit_fault fault, int64_t entry)
{
	assert_string_equal(audit_fault_label(walk->fault) ?: "whole", audit_fault_label(fault));
	assert_int_equal(walk->fault_entry, entry);
}

static void an_empty_log_is_whole(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct audit_head head = AUDIT_START;
	struct audit_walk walk;

	assert_int_equal(seal_all(lab, s, &head).sealed, 0);
	assert_int_equal(head.entry, 0);
	walk = prove(lab, s, head);
	assert_int_equal(walk.fault, AUDIT_WHOLE);
	assert_int_equal(walk.entries, 0);
	assert_int_equal(store_audit_last(s, &head, &lab->why), 0);
	assert_string_equal(head.hash, CHAIN_START);
}

static void rows_of_every_writer_are_sealed_in_order_and_proved(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct audit_head head = AUDIT_START, last;
	struct audit_walk walk;

	write_entries(lab, s, 3);
	assert_int_equal(lab_add(lab, s, "192.0.2.1"), 0);
	lab_sql(lab, "INSERT INTO listing (source, category) VALUES ('192.0.2.2', 'spam');"
		     "INSERT INTO audit (at, actor, verb, detail) VALUES (1.5, NULL, x'00ff', '')");
	assert_int_equal(seal_all(lab, s, &head).sealed, 6);
	assert_int_equal(seal_all(lab, s, &head).sealed, 0);
	walk = prove(lab, s, head);
	assert_int_equal(walk.fault, AUDIT_WHOLE);
	assert_int_equal(walk.entries, 6);
	assert_int_equal(walk.at.entry, 6);
	assert_string_equal(walk.at.hash, head.hash);
	assert_int_equal(store_audit_last(s, &last, &lab->why), 0);
	assert_string_equal(last.hash, head.hash);
}

/*
 * The bytes, by another implementation:
 * python3 -c 'import hashlib as h, struct as s
 * n=lambda k,b: k+s.pack(">Q",len(b))+b
 * print(h.sha256(bytes(32)+s.pack(">q",1)+n(b"i",s.pack(">q",1000))+n(b"t",b"root")
 *  +n(b"t",b"test")+n(b"t",b"attach")+n(b"t",b"detail 0")).hexdigest())'
 */
static void the_hash_is_over_the_bytes_that_the_header_says(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct audit_head head = AUDIT_START;

	write_entries(lab, s, 1);
	seal_all(lab, s, &head);
	assert_string_equal(head.hash,
			    "68e36e3f0576af06a54da3ab9a3b52a117a584f94c10f2110e283bbe20a346c0");
}

static void what_waits_to_be_sealed_is_counted_and_no_fault(void **state)
{
	struct lab *lab = *state;
	struct audit_head head;
	_cleanup_(store_freep) struct store *s = sealed_log(lab, &head);
	struct audit_walk walk;

	write_entries(lab, s, 2);
	walk = prove(lab, s, head);
	assert_int_equal(walk.fault, AUDIT_WHOLE);
	assert_int_equal(walk.unsealed, 2);
	assert_int_equal(walk.entries, ENTRIES + 2);
	assert_int_equal(walk.at.entry, ENTRIES);
}

static void a_change_of_any_column_is_found_where_it_is(void **state)
{
	static const char *const changes[] = {
		"UPDATE audit SET at = at + 1 WHERE rowid = 7",
		"UPDATE audit SET actor = 'nobody' WHERE rowid = 7",
		"UPDATE audit SET origin = NULL WHERE rowid = 7",
		"UPDATE audit SET verb = 'attach ' WHERE rowid = 7",
		"UPDATE audit SET detail = x'00' WHERE rowid = 7",
		"UPDATE audit SET hash = (SELECT hash FROM audit WHERE rowid = 6) WHERE rowid = 7",
		"UPDATE audit SET hash = 'none' WHERE rowid = 7",
		/* one column's end is not another's beginning */
		"UPDATE audit SET origin = 'tes', verb = 'tattach' WHERE rowid = 7",
		"UPDATE audit SET detail = CAST(detail AS BLOB) WHERE rowid = 7",
	};
	struct lab *lab = *state;
	struct audit_head head;
	_cleanup_(store_freep) struct store *s = sealed_log(lab, &head);
	struct audit_walk walk;

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		tamper(lab, "CREATE TABLE keep AS SELECT * FROM audit WHERE rowid = 7;"
			    "UPDATE audit SET at = at WHERE rowid = 7");
		tamper(lab, changes[i]);
		walk = prove(lab, s, head);
		assert_fault(&walk, AUDIT_CHANGED, 7);
		tamper(lab, "UPDATE audit SET (at, actor, origin, verb, detail, hash) = (SELECT at,"
			    " actor, origin, verb, detail, hash FROM keep) WHERE rowid = 7;"
			    "DROP TABLE keep");
		walk = prove(lab, s, head);
		assert_int_equal(walk.fault, AUDIT_WHOLE);
	}
}

static void a_row_that_is_gone_is_found(void **state)
{
	struct lab *lab = *state;
	struct audit_head head;
	_cleanup_(store_freep) struct store *s = sealed_log(lab, &head);
	struct audit_walk walk;

	tamper(lab, "DELETE FROM audit WHERE rowid BETWEEN 7 AND 8");
	walk = prove(lab, s, head);
	assert_fault(&walk, AUDIT_MISSING, 7);
	assert_int_equal(walk.faults, 1);
}

static void a_row_that_is_gone_is_found_also_if_the_gap_was_closed(void **state)
{
	struct lab *lab = *state;
	struct audit_head head;
	_cleanup_(store_freep) struct store *s = sealed_log(lab, &head);
	struct audit_walk walk;

	tamper(lab, "DELETE FROM audit WHERE rowid = 7;"
		    "UPDATE audit SET rowid = rowid - 1 WHERE rowid > 7");
	walk = prove(lab, s, head);
	assert_fault(&walk, AUDIT_CHANGED, 7);
}

static void the_first_row_gone_is_found(void **state)
{
	struct lab *lab = *state;
	struct audit_head head;
	_cleanup_(store_freep) struct store *s = sealed_log(lab, &head);
	struct audit_walk walk;

	tamper(lab, "DELETE FROM audit WHERE rowid = 1");
	walk = prove(lab, s, head);
	assert_fault(&walk, AUDIT_MISSING, 1);
}

static void an_end_that_was_cut_off_is_found_by_the_note_alone(void **state)
{
	struct lab *lab = *state;
	struct audit_head head;
	_cleanup_(store_freep) struct store *s = sealed_log(lab, &head);
	struct audit_sealed sealed;
	struct audit_walk walk;

	tamper(lab, "DELETE FROM audit WHERE rowid > 15");
	walk = prove(lab, s, head);
	assert_fault(&walk, AUDIT_CUT, ENTRIES);
	walk = prove(lab, s, (struct audit_head){});
	assert_int_equal(walk.fault, AUDIT_WHOLE); /* nothing else can tell */

	assert_int_equal(store_audit_seal(s, &head, &sealed, &lab->why), 0);
	assert_int_equal(sealed.fault, AUDIT_CUT);
}

static void an_end_that_was_cut_off_and_grown_again_is_found(void **state)
{
	struct lab *lab = *state;
	struct audit_head head, other = AUDIT_START;
	_cleanup_(store_freep) struct store *s = sealed_log(lab, &head);
	struct audit_sealed sealed;
	struct audit_walk walk;

	tamper(lab, "DELETE FROM audit WHERE rowid > 15");
	assert_int_equal(store_audit_last(s, &other, &lab->why), 0);
	write_entries(lab, s, 10);
	assert_int_equal(store_audit_seal(s, &head, &sealed, &lab->why), 0);
	assert_int_equal(sealed.fault, AUDIT_REMADE);
	assert_int_equal(seal_all(lab, s, &other).sealed, 10);
	walk = prove(lab, s, head);
	assert_fault(&walk, AUDIT_REMADE, ENTRIES);
}

static void a_chain_that_was_made_anew_is_found(void **state)
{
	struct lab *lab = *state;
	struct audit_head head, anew = AUDIT_START;
	_cleanup_(store_freep) struct store *s = sealed_log(lab, &head);
	struct audit_walk walk;

	tamper(lab, "UPDATE audit SET actor = 'nobody' WHERE rowid = 7;"
		    "UPDATE audit SET hash = NULL WHERE rowid >= 7");
	assert_int_equal(seal_all(lab, s, &anew).sealed, ENTRIES - 6);
	walk = prove(lab, s, (struct audit_head){});
	assert_int_equal(walk.fault, AUDIT_WHOLE);
	walk = prove(lab, s, head);
	assert_fault(&walk, AUDIT_REMADE, ENTRIES);
}

static void rows_that_changed_places_are_found(void **state)
{
	struct lab *lab = *state;
	struct audit_head head;
	_cleanup_(store_freep) struct store *s = sealed_log(lab, &head);
	struct audit_walk walk;

	tamper(lab, "UPDATE audit SET rowid = 1000 WHERE rowid = 7;"
		    "UPDATE audit SET rowid = 7 WHERE rowid = 8;"
		    "UPDATE audit SET rowid = 8 WHERE rowid = 1000");
	walk = prove(lab, s, head);
	assert_fault(&walk, AUDIT_CHANGED, 7);
}

static void an_old_row_put_in_again_is_found(void **state)
{
	struct lab *lab = *state;
	struct audit_head head;
	_cleanup_(store_freep) struct store *s = sealed_log(lab, &head);
	struct audit_sealed sealed;
	struct audit_walk walk;

	tamper(lab, "INSERT INTO audit SELECT * FROM audit WHERE rowid = 7");
	assert_int_equal(store_audit_seal(s, &head, &sealed, &lab->why), 0);
	assert_int_equal(sealed.fault, AUDIT_CHANGED);
	assert_int_equal(sealed.fault_entry, ENTRIES + 1);
	walk = prove(lab, s, head);
	assert_fault(&walk, AUDIT_CHANGED, ENTRIES + 1);
}

static void a_hash_that_was_taken_away_is_found(void **state)
{
	struct lab *lab = *state;
	struct audit_head head;
	_cleanup_(store_freep) struct store *s = sealed_log(lab, &head);
	struct audit_walk walk;

	tamper(lab, "UPDATE audit SET hash = NULL WHERE rowid = 7");
	walk = prove(lab, s, head);
	assert_fault(&walk, AUDIT_UNSEALED, 7);
	assert_int_equal(walk.faults, 1);
}

static void a_hash_noted_elsewhere_is_found_or_not(void **state)
{
	struct lab *lab = *state;
	struct audit_head head;
	_cleanup_(store_freep) struct store *s = sealed_log(lab, &head);
	struct audit_walk walk = { .at = AUDIT_START };

	memcpy(walk.sought, head.hash, sizeof(walk.sought));
	write_entries(lab, s, 5);
	seal_all(lab, s, &head);
	while (!walk.done)
		assert_int_equal(store_audit_walk(s, &walk, &lab->why), 0);
	assert_int_equal(walk.fault, AUDIT_WHOLE);
	assert_int_equal(walk.found, ENTRIES);

	walk = (struct audit_walk){ .at = AUDIT_START };
	memset(walk.sought, 'a', sizeof(walk.sought) - 1);
	while (!walk.done)
		assert_int_equal(store_audit_walk(s, &walk, &lab->why), 0);
	assert_fault(&walk, AUDIT_FOREIGN, ENTRIES + 5);
}

static void what_is_taken_as_it_is_is_not_proved_but_the_rest_is(void **state)
{
	struct lab *lab = *state;
	struct audit_head head, from = { 0 };
	_cleanup_(store_freep) struct store *s = sealed_log(lab, &head);
	struct audit_walk walk;

	from = head;
	write_entries(lab, s, 5);
	seal_all(lab, s, &head);
	tamper(lab, "UPDATE audit SET actor = 'nobody' WHERE rowid = 7");
	walk = walk_from(lab, s, from, head);
	assert_int_equal(walk.fault, AUDIT_WHOLE);
	assert_int_equal(walk.entries, 5);
	tamper(lab, "UPDATE audit SET actor = 'nobody' WHERE rowid = 22");
	walk = walk_from(lab, s, from, head);
	assert_fault(&walk, AUDIT_CHANGED, 22);
}

static void two_moatd_on_one_database_make_one_chain(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *one = lab_open(lab);
	_cleanup_(store_freep) struct store *two = lab_open(lab);
	struct audit_head a = AUDIT_START, b = AUDIT_START;
	struct audit_walk walk;

	for (int i = 0; i < 50; i++) {
		write_entries(lab, i % 3 ? one : two, i % 5);
		assert_int_equal(seal_all(lab, i % 2 ? one : two, i % 2 ? &a : &b).fault, 0);
	}
	assert_int_equal(seal_all(lab, one, &a).fault, 0);
	assert_int_equal(seal_all(lab, two, &b).fault, 0);
	assert_string_equal(a.hash, b.hash);
	walk = prove(lab, one, b);
	assert_int_equal(walk.fault, AUDIT_WHOLE);
	assert_int_equal(walk.entries, 100);
	assert_int_equal(walk.unsealed, 0);
}

static void a_kill_between_a_write_and_its_seal_loses_nothing(void **state)
{
	struct lab *lab = *state;
	struct audit_head head = AUDIT_START;
	struct audit_walk walk;

	for (int round = 0; round < 8; round++) {
		int status = 0;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (!pid) { /* writes and seals until it kills itself between the two */
			struct store *s = lab_open(lab);
			struct audit_head at;
			struct audit_sealed sealed;

			assert_int_equal(store_audit_last(s, &at, &lab->why), 0);
			for (int i = 0;; i++) {
				write_entries(lab, s, 3);
				if (i == 5 + round)
					kill(getpid(), SIGKILL);
				store_audit_seal(s, &at, &sealed, &lab->why);
			}
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
	}
	_cleanup_(store_freep) struct store *s = lab_open(lab);

	assert_int_equal(seal_all(lab, s, &head).fault, 0);
	walk = prove(lab, s, head);
	assert_int_equal(walk.fault, AUDIT_WHOLE);
	assert_int_equal(walk.entries, 3 * (8 * 6 + 28));
	assert_int_equal(walk.unsealed, 0);
}

static void a_lock_of_another_client_is_not_waited_for(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct audit_head head = AUDIT_START;
	struct audit_sealed sealed;
	struct client c;
	int64_t before;

	write_entries(lab, s, 3);
	c = client_start(lab->path);
	client_run(&c, "BEGIN IMMEDIATE;");
	before = lab_ms();
	assert_int_equal(store_audit_seal(s, &head, &sealed, &lab->why), -EBUSY);
	assert_true(lab_ms() - before < STORE_BUSY_MS);
	assert_int_equal(head.entry, 0);
	client_run(&c, "ROLLBACK;");
	assert_int_equal(client_end(&c), 0);
	assert_int_equal(seal_all(lab, s, &head).sealed, 3);
}

static void a_long_log_is_sealed_and_proved_in_steps(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct audit_head head = AUDIT_START;
	struct audit_walk walk = { .at = AUDIT_START };
	int64_t start, sealed_at;
	int steps = 0;
	char sql[256];
	int rows = getenv("SEAL_ROWS") ? (int)strtol(getenv("SEAL_ROWS"), NULL, 10) : 5000;

	snprintf(sql, sizeof(sql),
		 "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
		 " INSERT INTO audit (at, actor, origin, verb, detail) SELECT i, 'root', 'api unix',"
		 " 'add', '192.0.2.1 botnet manual until 2000000000 confidence 80' FROM n",
		 rows);
	lab_sql(lab, sql);
	start = lab_ms();
	assert_int_equal(seal_all(lab, s, &head).sealed, rows);
	sealed_at = lab_ms();
	walk.noted = head;
	for (; !walk.done; steps++)
		assert_int_equal(store_audit_walk(s, &walk, &lab->why), 0);
	assert_int_equal(walk.fault, AUDIT_WHOLE);
	assert_int_equal(walk.entries, rows);
	assert_true(steps >= rows / SEAL_STEP_ROWS);
	print_message("%d rows: sealed in %lld ms, proved in %lld ms\n", rows,
		      (long long)(sealed_at - start), (long long)(lab_ms() - sealed_at));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_log_is_whole),
		TEST(rows_of_every_writer_are_sealed_in_order_and_proved),
		TEST(the_hash_is_over_the_bytes_that_the_header_says),
		TEST(what_waits_to_be_sealed_is_counted_and_no_fault),
		TEST(a_change_of_any_column_is_found_where_it_is),
		TEST(a_row_that_is_gone_is_found),
		TEST(a_row_that_is_gone_is_found_also_if_the_gap_was_closed),
		TEST(the_first_row_gone_is_found),
		TEST(an_end_that_was_cut_off_is_found_by_the_note_alone),
		TEST(an_end_that_was_cut_off_and_grown_again_is_found),
		TEST(a_chain_that_was_made_anew_is_found),
		TEST(rows_that_changed_places_are_found),
		TEST(an_old_row_put_in_again_is_found),
		TEST(a_hash_that_was_taken_away_is_found),
		TEST(a_hash_noted_elsewhere_is_found_or_not),
		TEST(what_is_taken_as_it_is_is_not_proved_but_the_rest_is),
		TEST(two_moatd_on_one_database_make_one_chain),
		TEST(a_kill_between_a_write_and_its_seal_loses_nothing),
		TEST(a_lock_of_another_client_is_not_waited_for),
		TEST(a_long_log_is_sealed_and_proved_in_steps),
	};

	return cmocka_run_group_tests_name("store: seal", tests, NULL, NULL);
}
