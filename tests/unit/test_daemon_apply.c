/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another configuration while moatd runs, killed at every step of what it
 * writes: whatever starts then is the old one or the new one as promised, and
 * in the end the file says what runs. The daemon around it is played here.
 */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "daemon/apply.h"
#include "daemon/apply_journal.h"
#include "daemon/durable.h"

#define NEVER (-1)

static struct {
	char dir[64], path[128], uri[128];
	struct daemon daemon;
	struct apply *apply;
	int use_error;	   /* of the next daemon_use() */
	char audit[256];   /* the last: verb and detail */
	char detached[64]; /* the last interface that lost its filter */
	const char *attached;
	int steps;	/* that the disk was asked for */
	bool unsynced;	/* bytes were written and not synced yet */
	int early;	/* files that took a place before they were synced */
	bool read_only; /* no file takes a place */
	int die_at;	/* the process ends before this one */
} lab;

static const struct actor root = { "root", "moatctl" };

/* ---- the daemon ---- */

int daemon_use(struct daemon *d, struct config *next, struct problem *why)
{
	if (lab.use_error) {
		config_free(next);
		return problem_set(why, lab.use_error, "the maps do not answer");
	}
	config_free(d->config);
	d->config = next;
	return 0;
}

void daemon_audit(struct daemon *d, const struct actor *actor, const char *verb, const char *detail)
{
	(void)d;
	snprintf(lab.audit, sizeof(lab.audit), "%s %s %s", actor->name, verb, detail);
}

struct store *sync_store(struct sync *s)
{
	return (struct store *)s;
}

size_t ifaces_count(const struct ifaces *i)
{
	(void)i;
	return lab.attached ? 1 : 0;
}

void ifaces_view(struct ifaces *i, size_t index, struct iface_view *ret)
{
	(void)i;
	(void)index;
	*ret = (struct iface_view){ .name = lab.attached, .attachment.mode = ATTACH_NATIVE };
}

int ifaces_detach(struct ifaces *i, const char *name, struct problem *why)
{
	(void)i;
	(void)why;
	snprintf(lab.detached, sizeof(lab.detached), "%s", name);
	return 0;
}

int program_detach(const char *dir, const char *iface, struct problem *why)
{
	(void)dir;
	return ifaces_detach(NULL, iface, why);
}

/* ---- the disk ---- */

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);

static void step(void)
{
	if (lab.steps++ == lab.die_at)
		_exit(0);
}

int __wrap_fsync(int fd)
{
	(void)fd;
	step();
	lab.unsynced = false;
	return 0;
}

int __wrap_rename(const char *from, const char *to)
{
	step();
	lab.early += lab.unsynced;
	if (lab.read_only) {
		errno = EROFS;
		return -1;
	}
	return __real_rename(from, to);
}

int __wrap_unlink(const char *path)
{
	step();
	return __real_unlink(path);
}

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
	if (lab.die_at != NEVER && lab.steps == lab.die_at) /* half of it is there */
		(void)!__real_write(fd, data, size / 2);
	step();
	lab.unsynced = true;
	return __real_write(fd, data, size);
}

/* ---- the lab ---- */

static const char *text_of(const char *action, const char *more)
{
	static char text[2][512];
	static int which;

	which = !which;
	snprintf(text[which], sizeof(text[which]),
		 "interfaces: [ { name: eth0 }%s ]\ndatabase: %s\n"
		 "categories: { botnet: { action: %s } }\n",
		 more, lab.uri, action);
	return text[which];
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	assert_true(fd >= 0);
	assert_int_equal(__real_write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static bool file_is(const char *suffix, const char *text)
{
	_cleanup_free_ char *is = NULL;
	char path[PATH_MAX + 16];
	size_t size;

	snprintf(path, sizeof(path), "%s%s", lab.path, suffix);
	return !durable_read(path, CONFIG_FILE_MAX, &is, &size, NULL) && !strcmp(is, text);
}

static bool runs(const char *text)
{
	return !strcmp(lab.daemon.config->text, text);
}

static bool waits(void)
{
	struct apply_view view;

	apply_view(lab.apply, &view);
	return view.waiting;
}

static bool has_journal(void)
{
	struct journal j = {};
	bool has = !journal_read(lab.uri, &j, NULL);

	journal_free(&j);
	return has;
}

static void stop(void)
{
	lab.apply = apply_free(lab.apply);
	lab.daemon.loop = loop_free(lab.daemon.loop);
	lab.daemon.config = config_free(lab.daemon.config);
}

static void start(void)
{
	struct problem why = {};

	lab.daemon = (struct daemon){ .config_path = lab.path, .sync = (struct sync *)&lab };
	assert_int_equal(loop_new(&lab.daemon.loop), 0);
	assert_int_equal(config_load(lab.path, &lab.daemon.config, &why), 0);
	if (apply_new(lab.path, &lab.daemon.config, &lab.apply, &why) ||
	    apply_begin(lab.apply, &lab.daemon))
		fail_msg("%s", why.text);
}

static int apply(const char *text, int64_t seconds)
{
	struct problem why = {};

	return apply_config(lab.apply, text, strlen(text), seconds, &root, &why);
}

static int setup(void **state)
{
	(void)state;
	memset(&lab, 0, sizeof(lab));
	lab.die_at = NEVER;
	snprintf(lab.dir, sizeof(lab.dir), "/tmp/moat-apply-XXXXXX");
	if (!mkdtemp(lab.dir))
		return -1;
	snprintf(lab.path, sizeof(lab.path), "%s/moat.yaml", lab.dir);
	snprintf(lab.uri, sizeof(lab.uri), "sqlite://%s/moat.db", lab.dir);
	write_file(lab.path, text_of("drop", ""));
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = { "moat.yaml",	    "moat.yaml~",
					     "moat.yaml.previous",  "moat.yaml.rejected",
					     "moat.db-apply",	    "moat.db-apply~",
					     "moat.yaml.previous~", "moat.yaml.rejected~" };

	(void)state;
	stop();
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", lab.dir, files[i]);
		__real_unlink(path);
	}
	return rmdir(lab.dir);
}

/* The deadline passes while nobody runs. */
static void let_it_pass(void)
{
	struct journal j = {};

	if (journal_read(lab.uri, &j, NULL))
		return;
	j.until_boot = 1;
	j.until = 1;
	assert_int_equal(journal_write(lab.uri, &j, NULL), 0);
	journal_free(&j);
}

static void run_a_moment(void *arg)
{
	loop_stop(arg);
}

static void spin(int64_t ms)
{
	loop_timer(lab.daemon.loop, ms, 0, run_a_moment, lab.daemon.loop);
	loop_run(lab.daemon.loop);
}

/* ---- by itself ---- */

static void what_is_confirmed_becomes_the_file(void **state)
{
	const char *was = text_of("drop", ""), *next = text_of("monitor", "");
	struct stat info;

	(void)state;
	start();
	assert_int_equal(apply(next, 60), 0);
	assert_string_equal(lab.audit,
			    "root apply unless confirmed, for 1m: categories.botnet.action");
	assert_true(runs(next) && waits() && file_is("", was));
	assert_int_equal(apply(was, 60), -EALREADY);
	assert_int_equal(apply_confirm(lab.apply, &root, NULL), 0);
	assert_string_equal(lab.audit, "root confirm categories.botnet.action");
	assert_true(runs(next) && !waits() && file_is("", next) && file_is(".previous", was));
	assert_int_equal(lab.early, 0);
	assert_false(has_journal());
	assert_int_equal(stat(lab.path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0640);
	assert_int_equal(apply_confirm(lab.apply, &root, NULL), -ENODATA);
	assert_int_equal(apply_rollback(lab.apply, &root, NULL), -ENODATA);
	assert_int_equal(apply(next, 60), -ENODATA);
	assert_int_equal(apply(next, 0), 0);
}

static void a_refused_reload_is_not_told_of_for_ever(void **state)
{
	char *problem = lab.daemon.reload_problem;

	(void)state;
	start();
	assert_int_equal(apply(text_of("monitor", ""), 60), 0);
	assert_true(snprintf(problem, 8, "waits") > 0);
	assert_int_equal(apply_confirm(lab.apply, &root, NULL), 0);
	assert_string_equal(problem, "");
	assert_int_equal(apply(text_of("drop", ""), 60), 0);
	assert_true(snprintf(problem, 8, "waits") > 0);
	assert_int_equal(apply_rollback(lab.apply, &root, NULL), 0);
	assert_non_null(strstr(problem, "reload again"));
}

static void what_is_not_confirmed_is_rolled_back(void **state)
{
	const char *was = text_of("drop", ""), *next = text_of("monitor", "");

	(void)state;
	start();
	assert_int_equal(apply(next, 1), 0);
	spin(600);
	assert_true(runs(next) && waits());
	spin(600);
	assert_true(runs(was) && !waits() && file_is("", was));
	assert_string_equal(lab.audit,
			    "moatd rollback not confirmed in time: categories.botnet.action");
	assert_false(has_journal());
}

static void what_fails_changes_nothing_and_the_way_back_is_tried_again(void **state)
{
	const char *was = text_of("drop", ""), *next = text_of("monitor", "");

	(void)state;
	start();
	lab.use_error = -EIO;
	assert_int_equal(apply(next, 60), -EIO);
	assert_int_equal(apply(next, 0), -EIO);
	assert_true(runs(was) && !waits() && file_is("", was));
	assert_false(has_journal());
	lab.use_error = 0;
	assert_int_equal(apply(next, 1), 0);
	lab.use_error = -EIO; /* the way back fails: it is tried again */
	spin(1300);
	assert_true(runs(next) && waits());
	lab.use_error = 0;
	spin(2200);
	assert_true(runs(was) && !waits());
}

static void interfaces_that_it_added_lose_the_filter(void **state)
{
	char next[512];

	(void)state;
	snprintf(next, sizeof(next), "%s", text_of("drop", ", { name: eth1 }, { name: eth2 }"));
	lab.attached = "eth2"; /* by hand, before */
	start();
	assert_int_equal(apply(next, 60), 0);
	assert_int_equal(apply_rollback(lab.apply, &root, NULL), 0);
	assert_string_equal(lab.detached, "eth1");
	lab.detached[0] = '\0';
	assert_int_equal(apply(next, 60), 0);
	stop();
	start();
	assert_string_equal(lab.detached, "");
	stop();
	let_it_pass();
	start();
	assert_string_equal(lab.detached, "eth1");
}

static void a_journal_that_is_none_is_passed_over(void **state)
{
	static const char *const bad[] = { "", "{", "[]", "{\"moat_apply\":1}",
					   "{\"moat_apply\":2,\"state\":\"waiting\"}" };
	char path[PATH_MAX];

	(void)state;
	snprintf(path, sizeof(path), "%s/moat.db-apply", lab.dir);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		write_file(path, bad[i]);
		start();
		assert_true(runs(text_of("drop", "")) && !waits());
		stop();
	}
}

static void what_cannot_be_written_is_owed_and_done_later(void **state)
{
	const char *next = text_of("monitor", "");
	struct apply_view view;

	(void)state;
	start();
	lab.read_only = true;
	assert_int_equal(apply(next, 60), -EROFS);
	assert_false(waits());
	lab.read_only = false;
	assert_int_equal(apply(next, 60), 0);
	lab.read_only = true;
	assert_int_equal(apply_confirm(lab.apply, &root, NULL), -EROFS);
	assert_true(waits());
	lab.read_only = false;
	stop();
	/* Confirmed, and moatd ended before the file was written; then that fails. */
	{
		struct journal j = {};

		assert_int_equal(journal_read(lab.uri, &j, NULL), 0);
		j.state = JOURNAL_CONFIRMED;
		assert_int_equal(journal_write(lab.uri, &j, NULL), 0);
		journal_free(&j);
	}
	lab.read_only = true;
	start();
	assert_true(runs(next) && has_journal());
	apply_view(lab.apply, &view);
	assert_string_not_equal(view.problem, "");
	assert_int_equal(apply(text_of("drop", ""), 0), -EALREADY);
	lab.read_only = false;
	spin(2300);
	assert_true(file_is("", next) && !has_journal());
}

/* As the deadline stands after another boot: on the wall. */
static bool outlives_a_reboot(int64_t seconds)
{
	struct journal j = {};
	bool lives;

	stop();
	write_file(lab.path, text_of("drop", ""));
	start();
	assert_int_equal(apply(text_of("monitor", ""), 60), 0);
	stop();
	assert_int_equal(journal_read(lab.uri, &j, NULL), 0);
	snprintf(j.boot, sizeof(j.boot), "another");
	j.until = time(NULL) + seconds;
	assert_int_equal(journal_write(lab.uri, &j, NULL), 0);
	journal_free(&j);
	start();
	lives = waits();
	apply_rollback(lab.apply, &root, NULL);
	return lives;
}

static void after_a_reboot_the_wall_clock_decides(void **state)
{
	(void)state;
	assert_true(outlives_a_reboot(40));
	assert_false(outlives_a_reboot(0));
	assert_false(outlives_a_reboot(-100));
	assert_false(outlives_a_reboot(1000)); /* it was set back */
}

/* ---- killed ---- */

enum act { APPLY_AT_ONCE, APPLY_A_WHILE, CONFIRM, ROLL_BACK };

static void act_out(enum act act, const char *next)
{
	if (act == APPLY_AT_ONCE)
		apply(next, 0);
	else if (act == APPLY_A_WHILE)
		apply(next, 60);
	else if (act == CONFIRM)
		apply_confirm(lab.apply, &root, NULL);
	else
		apply_rollback(lab.apply, &root, NULL);
}

/* Returns whether it was killed, and not done before that many steps. */
static bool killed_in(enum act act, bool in_place, int at)
{
	const char *next = text_of("monitor", "");
	pid_t child;
	int status;

	write_file(lab.path, text_of("drop", ""));
	start();
	if (in_place)
		write_file(lab.path, next);
	if (act == CONFIRM || act == ROLL_BACK)
		assert_int_equal(apply(next, 60), 0);
	child = fork();
	if (!child) {
		lab.steps = 0;
		lab.die_at = at;
		act_out(act, next);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	stop();
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* What starts in time, then what starts too late. */
static void check_after(enum act act, bool in_place, int at)
{
	const char *was = text_of("drop", ""), *next = text_of("monitor", "");
	bool new_is_right, old_is_right;

	start();
	assert_true(runs(was) || runs(next));
	if (act == CONFIRM)
		assert_true(runs(next)); /* waits, or is confirmed */
	if (waits())
		assert_true(runs(next));
	else
		assert_true(file_is("", lab.daemon.config->text) && !has_journal());
	new_is_right = runs(next) && !waits();
	stop();

	let_it_pass();
	start();
	assert_false(waits());
	assert_false(has_journal());
	/* In place, and killed before anything was written: it is a file like any other. */
	old_is_right = !new_is_right;
	assert_true(runs(new_is_right ? next : was));
	assert_true(file_is("", lab.daemon.config->text));
	if (act == CONFIRM && new_is_right)
		assert_true(file_is(".previous", was) || in_place);
	if (in_place && old_is_right)
		assert_true(file_is(".rejected", next));
	stop();
	(void)at;
}

static void kill_everywhere(enum act act, bool in_place)
{
	int at = 0;

	for (; killed_in(act, in_place, at); at++)
		check_after(act, in_place, at);
	check_after(act, in_place, at);
	assert_true(at >= 3); /* there is something to be killed in */
}

static void killed_while_applying_at_once(void **state)
{
	(void)state;
	kill_everywhere(APPLY_AT_ONCE, false);
}

static void killed_while_applying_for_a_while(void **state)
{
	(void)state;
	kill_everywhere(APPLY_A_WHILE, false);
	kill_everywhere(APPLY_A_WHILE, true);
}

static void killed_while_confirming(void **state)
{
	(void)state;
	kill_everywhere(CONFIRM, false);
	kill_everywhere(CONFIRM, true);
}

static void killed_while_rolling_back(void **state)
{
	(void)state;
	kill_everywhere(ROLL_BACK, false);
	kill_everywhere(ROLL_BACK, true);
}

#define WITH_LAB(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LAB(what_is_confirmed_becomes_the_file),
		WITH_LAB(a_refused_reload_is_not_told_of_for_ever),
		WITH_LAB(what_is_not_confirmed_is_rolled_back),
		WITH_LAB(what_fails_changes_nothing_and_the_way_back_is_tried_again),
		WITH_LAB(interfaces_that_it_added_lose_the_filter),
		WITH_LAB(a_journal_that_is_none_is_passed_over),
		WITH_LAB(what_cannot_be_written_is_owed_and_done_later),
		WITH_LAB(after_a_reboot_the_wall_clock_decides),
		WITH_LAB(killed_while_applying_at_once),
		WITH_LAB(killed_while_applying_for_a_while),
		WITH_LAB(killed_while_confirming),
		WITH_LAB(killed_while_rolling_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
