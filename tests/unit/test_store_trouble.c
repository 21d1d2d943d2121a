// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the file system and other clients can do to the database: every case
 * is a clear error, and the store works again once its cause is gone.
 */
#include "test_store_lab.h"

#include <sched.h>
#include <sys/mount.h>

#define NOBODY	  65534
#define PROMPT_MS 500 /* for a call that meets a lock */
#define DISK	  "size=512k"

static void assert_says(const struct lab *lab, const char *text)
{
	if (!strstr(lab->why.text, text))
		print_error("expected '%s' in: %s\n", text, lab->why.text);
	assert_non_null(strstr(lab->why.text, text));
}

static void assert_no_open(struct lab *lab, const char *uri, int error, const char *text)
{
	struct store *s = NULL;

	memset(&lab->why, 0, sizeof(lab->why));
	assert_int_equal(store_open(uri, &s, &lab->why), error);
	assert_null(s);
	assert_says(lab, text);
}

/* ---- paths and permissions ---- */

static void an_unknown_engine_or_relative_path_is_refused(void **state)
{
	struct lab *lab = *state;

	assert_no_open(lab, "oracle://x/y", -ENOTSUP, "no such engine");
	assert_no_open(lab, "postgresql://localhost/moat", -ENOTSUP, "use sqlite:///PATH");
	assert_no_open(lab, "", -ENOTSUP, "no such engine");
	assert_no_open(lab, "sqlite://moat.db", -EINVAL, "not an absolute path");
	assert_no_open(lab, "sqlite:///", -EINVAL, "not an absolute path");
}

static void a_missing_directory_is_named_and_not_made(void **state)
{
	struct lab *lab = *state;
	char uri[256], text[256];

	snprintf(uri, sizeof(uri), "sqlite://%s/none/moat.db", lab->directory);
	snprintf(text, sizeof(text), "directory '%s/none' does not exist: make it", lab->directory);
	assert_no_open(lab, uri, -ENOENT, text);
	snprintf(uri, sizeof(uri), "sqlite://%s", lab->directory);
	assert_no_open(lab, uri, -EINVAL, "it is not a file");
}

static void a_path_too_long_is_refused(void **state)
{
	struct lab *lab = *state;
	char uri[8192] = "sqlite:///";

	memset(uri + strlen(uri), 'a', 8000);
	assert_no_open(lab, uri, -ENAMETOOLONG, "too long");
}

/* Runs as somebody whom permissions bind, also when the tests are root's. */
static void become_nobody(const struct lab *lab, mode_t directory)
{
	assert_int_equal(chmod(lab->directory, directory), 0);
	if (!geteuid())
		assert_int_equal(seteuid(NOBODY), 0);
}

static void become_self(const struct lab *lab)
{
	assert_int_equal(seteuid(getuid()), 0);
	assert_int_equal(chmod(lab->directory, 0700), 0);
}

static void a_directory_that_cannot_be_written_gets_no_database(void **state)
{
	struct lab *lab = *state;
	struct store *s = NULL;
	int err;

	become_nobody(lab, 0555);
	err = store_open(lab->uri, &s, &lab->why);
	become_self(lab);
	assert_int_equal(err, -EACCES);
	assert_null(s);
	assert_says(lab, "no permission");
	store_free(lab_open(lab));
}

static void a_closed_database_in_such_a_directory_says_what_it_lacks(void **state)
{
	struct lab *lab = *state;
	struct store *s = NULL;
	int err;

	store_free(lab_open(lab)); /* its -wal and -shm are gone with it */
	assert_int_equal(chmod(lab->path, 0444), 0);
	become_nobody(lab, 0555);
	err = store_open(lab->uri, &s, &lab->why);
	become_self(lab);
	assert_int_equal(err, -EACCES);
	assert_says(lab, "let moatd write to the directory");
}

static void a_database_that_may_only_be_read_is_read_and_followed(void **state)
{
	struct lab *lab = *state;
	struct client client = client_start(lab->path);
	struct store *s = NULL;
	struct set set = {};
	int64_t seq = 0;
	int open_err, add_err;

	if (geteuid()) {
		print_message("SKIPPED: needs root, to be somebody else\n");
		client_end(&client);
		skip();
	}
	store_free(lab_open(lab));
	client_run(&client, "INSERT INTO listing (source, category) VALUES ('192.0.2.1', 'spam');");
	assert_int_equal(chmod(lab->path, 0444), 0);
	become_nobody(lab, 0555);
	open_err = store_open(lab->uri, &s, &lab->why);
	add_err = open_err ? 0 : lab_add(lab, s, "192.0.2.9");
	become_self(lab);

	assert_int_equal(open_err, 0);
	assert_true(store_read_only(s));
	assert_int_equal(add_err, -EROFS);
	assert_says(lab, "it can only be read");
	client_run(&client, "INSERT INTO listing (source, category) VALUES ('192.0.2.2', 'spam');");
	set_follow(lab, s, &set, &seq);
	assert_int_equal(set.count, 2);
	set_clear(&set);
	store_free(s);
	client_end(&client);
}

/* ---- file systems of our own ---- */

/* A small disk at the lab's directory, in a mount namespace that ends with this process. */
static bool mount_disk(struct lab *lab)
{
	if (geteuid() || unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", lab->directory, "tmpfs", 0, DISK)) {
		print_message("SKIPPED: needs root, to mount a small disk\n");
		return false;
	}
	return true;
}

static void umount_disk(struct lab *lab)
{
	assert_int_equal(umount(lab->directory), 0);
}

static char *filler_path(const struct lab *lab, char *path, size_t size)
{
	snprintf(path, size, "%s/filler", lab->directory);
	return path;
}

static void fill_disk(const struct lab *lab)
{
	static const char block[4096];
	char path[128];
	_cleanup_close_ int fd = -1;

	fd = open(filler_path(lab, path, sizeof(path)), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
		  0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, ENOSPC);
}

static void no_space_left(struct lab *lab)
{
	struct store *s = lab_open(lab);
	struct set set = {};
	int64_t seq = 0;
	char path[128], source[32];
	int err = 0;

	assert_int_equal(lab_add(lab, s, "192.0.2.1"), 0);
	fill_disk(lab);
	for (int i = 2; !err && i < 1000; i++) {
		snprintf(source, sizeof(source), "2001:db8::%x", i);
		err = lab_add(lab, s, source);
	}
	assert_int_equal(err, -ENOSPC);
	assert_says(lab, "no room: free space");
	set_follow(lab, s, &set, &seq); /* what was there is still read */
	set_assert_is_table(lab, &set);

	assert_int_equal(unlink(filler_path(lab, path, sizeof(path))), 0);
	assert_int_equal(lab_add(lab, s, "192.0.2.2"), 0);
	set_follow(lab, s, &set, &seq);
	set_assert_is_table(lab, &set);
	assert_int_equal(lab_number(lab,
				    "SELECT count(*) = (SELECT count(*) FROM change) FROM listing"),
			 1);
	assert_int_equal(lab_number(lab,
				    "SELECT integrity_check = 'ok' FROM pragma_integrity_check"),
			 1);
	set_clear(&set);
	store_free(s);
}

static void a_full_disk_is_said_and_leaves_a_whole_database(void **state)
{
	struct lab *lab = *state;

	if (!mount_disk(lab))
		skip();
	no_space_left(lab);
	umount_disk(lab);
}

static void a_disk_too_full_for_a_new_database_is_said(void **state)
{
	struct lab *lab = *state;
	char path[128];

	if (!mount_disk(lab))
		skip();
	fill_disk(lab);
	assert_no_open(lab, lab->uri, -ENOSPC, "no room: free space");
	assert_int_equal(unlink(filler_path(lab, path, sizeof(path))), 0);
	store_free(lab_open(lab));
	umount_disk(lab);
}

static void remount(const struct lab *lab, unsigned long flags)
{
	assert_int_equal(mount(NULL, lab->directory, NULL, MS_REMOUNT | flags, NULL), 0);
}

static void a_read_only_file_system_is_read(void **state)
{
	struct lab *lab = *state;
	struct store *s = NULL;
	size_t count = 0;
	int64_t seq = 0;

	if (!mount_disk(lab))
		skip();
	remount(lab, MS_RDONLY);
	assert_no_open(lab, lab->uri, -EROFS, "it can only be read");
	remount(lab, 0);
	s = lab_open(lab);
	assert_int_equal(lab_add(lab, s, "192.0.2.1"), 0);
	store_free(s);
	remount(lab, MS_RDONLY);

	s = lab_open(lab);
	assert_true(store_read_only(s));
	assert_int_equal(store_snapshot(s, count_listing, &count, &seq, &lab->why), 0);
	assert_int_equal(count, 1);
	assert_int_equal(lab_add(lab, s, "192.0.2.2"), -EROFS);

	remount(lab, 0); /* and back: it is written again, and that is noticed */
	lab_sql(lab, "INSERT INTO listing (source, category) VALUES ('192.0.2.3', 'spam')");
	assert_int_equal(store_poll(s), 1);
	assert_int_equal(store_changes(s, seq, 10, count_change, &count, &seq, &lab->why), -ESTALE);
	count = 0;
	assert_int_equal(store_snapshot(s, count_listing, &count, &seq, &lab->why), 0);
	assert_int_equal(count, 2);
	assert_int_equal(lab_add(lab, s, "192.0.2.2"), 0);
	store_free(s);
	umount_disk(lab);
}

/* ---- other clients' locks ---- */

static void a_lock_held_by_another_client_is_busy_at_once_and_passes(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct client client = client_start(lab->path);
	size_t count = 0, removed = 0;
	int64_t start, seq = 0;

	assert_int_equal(lab_add(lab, s, "192.0.2.1"), 0);
	client_run(&client, "BEGIN IMMEDIATE; DELETE FROM listing;");
	start = lab_ms();
	assert_int_equal(lab_add(lab, s, "192.0.2.2"), -EBUSY);
	assert_says(lab, "another client holds the lock: try again");
	assert_int_equal(lab_remove(lab, s, NULL, (struct removal){ "192.0.2.1", NULL, NULL, 0 },
				    &removed),
			 -EBUSY);
	assert_int_equal(store_audit(s, NULL, 1, "pause", "", &lab->why), -EBUSY);
	assert_int_equal(store_refused_reset(s, NULL, 0, 1, &lab->why), -EBUSY);
	assert_int_equal(store_prune(s, 1, INT64_MAX, 10, &lab->why), -EBUSY);
	assert_true(lab_ms() - start < 5 * PROMPT_MS);

	assert_int_equal(store_snapshot(s, count_listing, &count, &seq, &lab->why), 0);
	assert_int_equal(count, 1); /* reading goes on, of what is committed */
	client_run(&client, "COMMIT;");
	assert_int_equal(lab_add(lab, s, "192.0.2.2"), 0);
	client_end(&client);
}

static void a_long_read_of_another_client_does_not_stop_writing(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct client client = client_start(lab->path);

	client_run(&client, "BEGIN; SELECT * FROM listing;");
	for (int i = 0; i < 100; i++)
		assert_int_equal(lab_add(lab, s, "192.0.2.2"), 0);
	client_end(&client);
}

static void a_database_locked_while_it_is_made_is_busy(void **state)
{
	struct lab *lab = *state;
	struct client client = client_start(lab->path);

	client_run(&client, "BEGIN EXCLUSIVE;");
	assert_no_open(lab, lab->uri, -EBUSY, "another client holds the lock");
	client_end(&client);
	store_free(lab_open(lab));
}

/* ---- the file goes away ---- */

static void other_path(const struct lab *lab, const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", lab->directory, name);
}

/* Another moat database with count rows, at name. */
static void make_other(struct lab *lab, const char *name, size_t count, char *path, size_t size)
{
	struct lab other = *lab;
	struct store *s;

	other_path(lab, name, path, size);
	snprintf(other.path, sizeof(other.path), "%s", path);
	snprintf(other.uri, sizeof(other.uri), "sqlite://%s", path);
	s = lab_open(&other);
	for (size_t i = 0; i < count; i++) {
		char source[32];

		snprintf(source, sizeof(source), "198.51.100.%zu", i);
		assert_int_equal(lab_add(&other, s, source), 0);
	}
	store_free(s);
}

static void a_replaced_file_is_stale_then_followed(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	size_t count = 0;
	int64_t seq = 0;
	char path[128];
	int fd = store_wait_fd(s);

	assert_int_equal(lab_add(lab, s, "192.0.2.1"), 0);
	assert_int_equal(store_snapshot(s, count_listing, &count, &seq, &lab->why), 0);
	while (store_poll(s) == 1)
		;
	make_other(lab, "new.db", 3, path, sizeof(path));
	assert_int_equal(rename(path, lab->path), 0);

	assert_int_equal(store_poll(s), 1);
	assert_int_equal(store_changes(s, seq, 10, count_change, &count, &seq, &lab->why), -ESTALE);
	assert_says(lab, "reading everything again");
	count = 0;
	assert_int_equal(store_snapshot(s, count_listing, &count, &seq, &lab->why), 0);
	assert_int_equal(count, 3);
	assert_int_equal(lab_add(lab, s, "192.0.2.9"), 0);
	count = 0;
	assert_int_equal(store_changes(s, seq, 10, count_change, &count, &seq, &lab->why), 0);
	assert_int_equal(count, 1);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 4);
	assert_int_equal(store_wait_fd(s), fd);
}

static void a_removed_file_is_an_error_and_no_empty_one_takes_its_place(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	size_t count = 0;
	int64_t seq = 0;
	char path[128];

	assert_int_equal(lab_add(lab, s, "192.0.2.1"), 0);
	other_path(lab, "away.db", path, sizeof(path));
	assert_int_equal(rename(lab->path, path), 0);

	assert_int_equal(store_poll(s), -ENOENT);
	assert_int_equal(lab_add(lab, s, "192.0.2.2"), -ENOENT);
	assert_says(lab, "put it back, or restart moatd");
	assert_int_not_equal(access(lab->path, F_OK), 0);

	close(open(lab->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(store_poll(s), -EPROTO);
	assert_int_equal(store_head(s, &seq, &lab->why), -EPROTO);
	assert_says(lab, "it is empty: restore a backup");

	assert_int_equal(rename(path, lab->path), 0);
	assert_int_equal(store_poll(s), 1);
	assert_int_equal(store_changes(s, 0, 10, count_change, &count, &seq, &lab->why), -ESTALE);
	assert_int_equal(store_snapshot(s, count_listing, &count, &seq, &lab->why), 0);
	assert_int_equal(count, 1);
}

static void a_log_file_removed_under_us_is_noticed(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	char wal[128], shm[128];
	size_t count = 0;
	int64_t seq = 0;

	assert_int_equal(lab_add(lab, s, "192.0.2.1"), 0);
	lab_sql(lab, "PRAGMA wal_checkpoint(TRUNCATE)");
	assert_int_equal(lab_add(lab, s, "192.0.2.2"), 0);
	other_path(lab, "moat.db-wal", wal, sizeof(wal));
	other_path(lab, "moat.db-shm", shm, sizeof(shm));
	assert_int_equal(unlink(wal), 0);
	assert_int_equal(unlink(shm), 0);

	assert_int_equal(store_changes(s, 2, 10, count_change, &count, &seq, &lab->why), -ESTALE);
	assert_int_equal(store_snapshot(s, count_listing, &count, &seq, &lab->why), 0);
	assert_int_equal(count, 1); /* what the log held is lost, not half there */
	assert_int_equal(lab_add(lab, s, "192.0.2.3"), 0);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 2);
	assert_int_equal(lab_number(lab,
				    "SELECT integrity_check = 'ok' FROM pragma_integrity_check"),
			 1);
}

static void an_older_backup_restored_in_place_is_stale(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	size_t count = 0;
	int64_t seq = 0;
	char backup[128], command[256];

	assert_int_equal(lab_add(lab, s, "192.0.2.1"), 0);
	other_path(lab, "backup.db", backup, sizeof(backup));
	snprintf(command, sizeof(command), ".backup %s", backup);
	lab_sql(lab, command);
	assert_int_equal(lab_add(lab, s, "192.0.2.2"), 0);
	assert_int_equal(store_snapshot(s, count_listing, &count, &seq, &lab->why), 0);
	assert_int_equal(count, 2);

	snprintf(command, sizeof(command), ".restore %s", backup);
	lab_sql(lab, command);
	assert_int_equal(store_changes(s, seq, 10, count_change, &count, &seq, &lab->why), -ESTALE);
	count = 0;
	assert_int_equal(store_snapshot(s, count_listing, &count, &seq, &lab->why), 0);
	assert_int_equal(count, 1);
	assert_int_equal(seq, 1);
}

static void a_symbolic_link_and_odd_characters_in_the_path_work(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = NULL;
	struct lab link = *lab;
	struct pollfd pfd = { .events = POLLIN };
	char target[128];

	make_other(lab, "a b%20?#'\"\xc3\xbc.db", 1, target, sizeof(target));
	assert_int_equal(symlink(target, lab->path), 0);
	s = lab_open(lab);
	pfd.fd = store_wait_fd(s);
	while (poll(&pfd, 1, 1100) == 1)
		store_wait_clear(s);
	snprintf(link.path, sizeof(link.path), "%s", target);
	lab_sql(&link, "INSERT INTO listing (source, category) VALUES ('192.0.2.3', 'spam')");
	assert_int_equal(poll(&pfd, 1, DEADLINE_MS), 1);
	assert_int_equal(store_poll(s), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_unknown_engine_or_relative_path_is_refused),
		TEST(a_missing_directory_is_named_and_not_made),
		TEST(a_path_too_long_is_refused),
		TEST(a_directory_that_cannot_be_written_gets_no_database),
		TEST(a_closed_database_in_such_a_directory_says_what_it_lacks),
		TEST(a_database_that_may_only_be_read_is_read_and_followed),
		TEST(a_full_disk_is_said_and_leaves_a_whole_database),
		TEST(a_disk_too_full_for_a_new_database_is_said),
		TEST(a_read_only_file_system_is_read),
		TEST(a_lock_held_by_another_client_is_busy_at_once_and_passes),
		TEST(a_long_read_of_another_client_does_not_stop_writing),
		TEST(a_database_locked_while_it_is_made_is_busy),
		TEST(a_replaced_file_is_stale_then_followed),
		TEST(a_removed_file_is_an_error_and_no_empty_one_takes_its_place),
		TEST(a_log_file_removed_under_us_is_noticed),
		TEST(an_older_backup_restored_in_place_is_stale),
		TEST(a_symbolic_link_and_odd_characters_in_the_path_work),
	};

	return cmocka_run_group_tests_name("store: trouble", tests, NULL, NULL);
}
