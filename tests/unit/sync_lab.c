/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/sync_lab.h"

#include <ftw.h>
#include <sys/stat.h>
#include <time.h>

#include "core/config.h"
#include "daemon/selftest.h"

#define NS	     1000000000LL
#define START_WALL   (1800000000 * NS + NS / 2) /* half a second is far from any tick's border */
#define START_BOOT   (5000 * NS)
#define SETTLE_TRIES 200 /* seconds, or follows without a pause */
#define SETTLE_LEAST 40	 /* longer than any wait between tries */

struct lab lab;
struct lab_fault lab_fault[LAB_CALLS];
bool lab_read_only;
int64_t lab_wall_ns, lab_boot_ns;

/* ---- the clock ---- */

time_t __wrap_time(time_t *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);

time_t __wrap_time(time_t *ret)
{
	if (ret)
		*ret = lab_wall_ns / NS;
	return lab_wall_ns / NS;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
	int64_t ns = clock == CLOCK_REALTIME ? lab_wall_ns : lab_boot_ns;

	*ret = (struct timespec){ .tv_sec = ns / NS, .tv_nsec = ns % NS };
	return 0;
}

void lab_pass(int64_t seconds)
{
	lab_wall_ns += seconds * NS;
	lab_boot_ns += seconds * NS;
}

void lab_set_wall(int64_t seconds)
{
	lab_wall_ns = seconds * NS + NS / 2;
}

int64_t lab_now(void)
{
	return lab_wall_ns / NS;
}

/* ---- the store, failing ---- */

struct tap {
	struct lab_fault *fault;
	size_t rows;
	store_listing_fn listing;
	store_change_fn change;
	void *arg;
};

int __real_store_snapshot(struct store *s, store_listing_fn fn, void *arg, int64_t *ret_seq,
			  struct problem *why);
int __wrap_store_snapshot(struct store *s, store_listing_fn fn, void *arg, int64_t *ret_seq,
			  struct problem *why);
int __real_store_changes(struct store *s, int64_t seq, size_t limit, store_change_fn fn, void *arg,
			 int64_t *ret_seq, struct problem *why);
int __wrap_store_changes(struct store *s, int64_t seq, size_t limit, store_change_fn fn, void *arg,
			 int64_t *ret_seq, struct problem *why);
int __real_store_refused_update(struct store *s, const struct refusal *rows, size_t count,
				int64_t now, struct problem *why);
int __wrap_store_refused_update(struct store *s, const struct refusal *rows, size_t count,
				int64_t now, struct problem *why);
int __real_store_refused_reset(struct store *s, const struct refusal *rows, size_t count,
			       int64_t now, struct problem *why);
int __wrap_store_refused_reset(struct store *s, const struct refusal *rows, size_t count,
			       int64_t now, struct problem *why);

bool __wrap_store_read_only(const struct store *s);

bool __wrap_store_read_only(const struct store *s)
{
	(void)s;
	return lab_read_only;
}

static int fault_says(const struct lab_fault *fault, struct problem *why)
{
	return problem_set(why, fault->error, "database: %s, says the test",
			   strerror(-fault->error));
}

static bool is_over(struct tap *tap)
{
	return tap->fault->error && tap->rows++ == tap->fault->after;
}

static int tap_listing(void *arg, const struct listing *listing)
{
	struct tap *tap = arg;

	return is_over(tap) ? tap->fault->error : tap->listing(tap->arg, listing);
}

static int tap_change(void *arg, const struct change *change)
{
	struct tap *tap = arg;

	return is_over(tap) ? tap->fault->error : tap->change(tap->arg, change);
}

int __wrap_store_snapshot(struct store *s, store_listing_fn fn, void *arg, int64_t *ret_seq,
			  struct problem *why)
{
	struct tap tap = { .fault = &lab_fault[LAB_SNAPSHOT], .listing = fn, .arg = arg };
	int r;

	tap.fault->calls++;
	if (tap.fault->error && !tap.fault->after)
		return fault_says(tap.fault, why);
	r = __real_store_snapshot(s, tap_listing, &tap, ret_seq, why);
	return r && r == tap.fault->error ? fault_says(tap.fault, why) : r;
}

int __wrap_store_changes(struct store *s, int64_t seq, size_t limit, store_change_fn fn, void *arg,
			 int64_t *ret_seq, struct problem *why)
{
	struct tap tap = { .fault = &lab_fault[LAB_CHANGES], .change = fn, .arg = arg };
	int r;

	tap.fault->calls++;
	if (tap.fault->error && !tap.fault->after)
		return fault_says(tap.fault, why);
	r = __real_store_changes(s, seq, limit, tap_change, &tap, ret_seq, why);
	return r && r == tap.fault->error ? fault_says(tap.fault, why) : r;
}

int __wrap_store_refused_update(struct store *s, const struct refusal *rows, size_t count,
				int64_t now, struct problem *why)
{
	struct lab_fault *fault = &lab_fault[LAB_REFUSED];

	fault->calls++;
	return fault->error ? fault_says(fault, why)
			    : __real_store_refused_update(s, rows, count, now, why);
}

int __wrap_store_refused_reset(struct store *s, const struct refusal *rows, size_t count,
			       int64_t now, struct problem *why)
{
	struct lab_fault *fault = &lab_fault[LAB_REFUSED];

	fault->calls++;
	return fault->error ? fault_says(fault, why)
			    : __real_store_refused_reset(s, rows, count, now, why);
}

/* ---- up and down ---- */

int lab_setup(void **state)
{
	(void)state;
	lab = (struct lab){ .directory = "/tmp/moat-sync-XXXXXX" };
	memset(lab_fault, 0, sizeof(lab_fault));
	lab_read_only = false;
	lab_wall_ns = START_WALL;
	lab_boot_ns = START_BOOT;
	if (!mkdtemp(lab.directory))
		return -1;
	snprintf(lab.path, sizeof(lab.path), "%s/moat.db", lab.directory);
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

int lab_teardown(void **state)
{
	(void)state;
	lab.sync = sync_free(lab.sync);
	lab.tables = tables_free(lab.tables);
	lab.config = config_free(lab.config);
	sqlite3_close(lab.client);
	nftw(lab.directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	return 0;
}

void lab_config(const char *yaml)
{
	char text[8192];
	struct config *config = NULL;
	int size = snprintf(text, sizeof(text),
			    "interfaces: [ { name: eth0 } ]\n"
			    "database: sqlite://%s\n%s",
			    lab.path, yaml);

	if (config_parse("test.yaml", text, (size_t)size, &config, &lab.why))
		fail_msg("%s", lab.why.text);
	config_free(lab.config);
	lab.config = config;
}

void lab_never(const char *prefix)
{
	assert_true(lab.nevers < LAB_NEVERS);
	assert_int_equal(prefix_parse(prefix, &lab.never[lab.nevers++]), 0);
}

void lab_maps(uint32_t room4, uint32_t room6, uint32_t phases)
{
	const uint32_t room[2] = { room4, room6 };

	lab.sync = sync_free(lab.sync);
	tables_free(lab.tables);
	lab.tables = fake_tables_new(room, phases);
	fake_tables_judge(lab.tables, true);
}

void lab_restart(void)
{
	lab.sync = sync_free(lab.sync);
	if (sync_new(lab.config, lab.never, lab.nevers, lab.tables, &lab.sync, &lab.why))
		fail_msg("%s", lab.why.text);
}

int lab_start(void)
{
	lab.why.text[0] = '\0';
	return sync_start(lab.sync, &lab.why);
}

ssize_t lab_follow(void)
{
	lab.why.text[0] = '\0';
	return sync_follow(lab.sync, &lab.why);
}

int lab_settle(void)
{
	ssize_t r = -1;

	for (int i = 0; i < SETTLE_TRIES && (r < 0 || i < SETTLE_LEAST || !lab_room_is_used());
	     i++) {
		lab_pass(1);
		r = lab_follow();
		for (int more = 0; more < SETTLE_TRIES && r >= 0; more++) {
			int64_t next = sync_next(lab.sync);

			if (!next || next > lab_now())
				break;
			r = lab_follow();
		}
	}
	return r < 0 ? (int)r : 0;
}

/* ---- the foreign client ---- */

int lab_sql_try(const char *sql)
{
	if (!lab.client && sqlite3_open(lab.path, &lab.client) != SQLITE_OK)
		fail_msg("%s cannot be opened", lab.path);
	sqlite3_busy_timeout(lab.client, 1000);
	return sqlite3_exec(lab.client, sql, NULL, NULL, NULL);
}

void lab_sql(const char *fmt, ...)
{
	char sql[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(sql, sizeof(sql), fmt, args);
	va_end(args);
	if (lab_sql_try(sql) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(lab.client));
}

int64_t lab_sql_number(const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t number;

	assert_int_equal(lab_sql_try(""), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(lab.client, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	number = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return number;
}

void lab_list(const char *source, const char *category)
{
	lab_sql("INSERT INTO listing (source, category) VALUES ('%s', '%s')", source, category);
}

/* ---- what came of it ---- */

const char *lab_verdict_of(const char *address, uint8_t protocol, uint16_t port)
{
	static const char *const action[] = {
		[MOAT_ACTION_MONITOR] = "monitor",
		[MOAT_ACTION_TAG] = "tag",
		[MOAT_ACTION_LIMIT] = "limit",
		[MOAT_ACTION_DROP] = "drop",
	};
	struct fake_verdict verdict;
	struct prefix p;

	assert_int_equal(prefix_parse(address, &p), 0);
	fake_tables_packet(lab.tables, &p, (uint64_t)lab_boot_ns, protocol, port, &verdict);
	if (!verdict.listed)
		return "clean";
	if (verdict.set == 1ULL << MOAT_CATEGORY_ALLOW)
		return "allow";
	if (!verdict.in_scope)
		return "out of scope";
	if (verdict.action == MOAT_ACTION_DROP && verdict.shared)
		return "shared";
	return verdict.action < ARRAY_SIZE(action) ? action[verdict.action] : "?";
}

const char *lab_verdict(const char *address)
{
	return lab_verdict_of(address, LAB_PROTOCOL, LAB_PORT);
}

bool lab_in_kernel(const char *source)
{
	struct moat_source value;
	struct prefix p;

	assert_int_equal(prefix_parse(source, &p), 0);
	return !tables_get(lab.tables, &p, &value);
}

struct sync_numbers lab_numbers(void)
{
	struct sync_numbers n;

	sync_numbers(lab.sync, &n);
	return n;
}

struct find_refused {
	const char *source, *category, *cause;
};

static int find_refused(void *arg, const struct refusal *refusal)
{
	struct find_refused *find = arg;

	if (!strcmp(refusal->source, find->source) && !strcmp(refusal->category, find->category))
		find->cause = refusal->cause;
	return 0;
}

const char *lab_refused(const char *source, const char *category)
{
	struct find_refused find = { source, category, NULL };

	sync_each_refused(lab.sync, find_refused, &find);
	return find.cause;
}

struct find_count {
	const char *feed, *category, *state;
	size_t count;
};

static void find_count(void *arg, const char *feed, const char *category, const char *state,
		       size_t count)
{
	struct find_count *find = arg;

	if (!strcmp(feed, find->feed) && !strcmp(category, find->category) &&
	    !strcmp(state, find->state))
		find->count += count;
}

size_t lab_count(const char *feed, const char *category, const char *state)
{
	struct find_count find = { feed, category, state, 0 };

	sync_each_count(lab.sync, find_count, &find);
	return find.count;
}
