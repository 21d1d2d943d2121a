/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is left of the file system after landlock_read_only() and in the feeds'
 * child. In processes of their own: there is no way back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base.h"
#include "daemon/feeder_sandbox.h"
#include "daemon/landlock.h"

#define NET_SINCE 4

static struct {
	char dir[64];
	char open[96]; /* a directory that is named, with the file in */
	char in[128];
	char out[96]; /* a file that everybody may read, and is not named */
} lab;

static void write_file(const char *path)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "text", 4), 4);
}

static int setup(void **state)
{
	(void)state;
	snprintf(lab.dir, sizeof(lab.dir), "/tmp/moat-landlock.XXXXXX");
	if (!mkdtemp(lab.dir) || chmod(lab.dir, 0755))
		return -1;
	snprintf(lab.open, sizeof(lab.open), "%s/open", lab.dir);
	snprintf(lab.in, sizeof(lab.in), "%s/in", lab.open);
	snprintf(lab.out, sizeof(lab.out), "%s/out", lab.dir);
	if (mkdir(lab.open, 0755))
		return -1;
	write_file(lab.in);
	write_file(lab.out);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(lab.in);
	unlink(lab.out);
	rmdir(lab.open);
	return rmdir(lab.dir);
}

/* The line of the first check that failed; it is the exit code, so it is not 0. */
#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what))                                                                       \
			_exit(1 + __LINE__ % 250);                                                 \
	} while (0)

static void run(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		fail_msg("status %d, line %d of those modulo 250", status, WEXITSTATUS(status) - 1);
}

static bool is_refused(int r, int error)
{
	return r < 0 && errno == error;
}

static void restricted(void)
{
	const char *const paths[] = { lab.open, "/nonexistent" };
	int before = open(lab.out, O_RDWR | O_CLOEXEC);
	const struct sockaddr_in any = { .sin_family = AF_INET };
	struct problem why = {};
	char other[128];
	int tcp;

	snprintf(other, sizeof(other), "%s/other", lab.open);
	CHECK(before >= 0 && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(!landlock_read_only(paths, ARRAY_SIZE(paths), &why));
	CHECK(open(lab.in, O_RDONLY | O_CLOEXEC) >= 0);
	CHECK(is_refused(open(lab.in, O_WRONLY | O_CLOEXEC), EACCES));
	CHECK(is_refused(open(lab.out, O_RDONLY | O_CLOEXEC), EACCES));
	CHECK(is_refused(open(lab.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), EACCES));
	CHECK(is_refused(open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), EACCES));
	CHECK(is_refused(mkdir(other, 0700), EACCES));
	CHECK(is_refused(unlink(lab.in), EACCES));
	CHECK(is_refused(rename(lab.in, other), EACCES));
	CHECK(pwrite(before, "more", 4, 0) == 4);
	tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(tcp >= 0);
	CHECK(landlock_version() < NET_SINCE ||
	      is_refused(bind(tcp, (const struct sockaddr *)&any, sizeof(any)), EACCES));
}

static void sandboxed(void)
{
	struct problem why = {};

	CHECK(!sandbox_enter(getppid(), 0, &why));
	CHECK(is_refused(open(lab.out, O_RDONLY | O_CLOEXEC), EACCES));
	CHECK(is_refused(open("/etc/passwd", O_RDONLY | O_CLOEXEC), EACCES));
	CHECK(open("/etc/nsswitch.conf", O_RDONLY | O_CLOEXEC) >= 0 || errno == ENOENT);
	CHECK(open("/etc/ssl/certs", O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0 || errno == ENOENT);
}

static void skip_without_landlock(void)
{
	if (landlock_version())
		return;
	print_message("# SKIP this kernel has no Landlock\n");
	skip();
}

static void only_what_is_named_can_be_read_and_nothing_written(void **state)
{
	(void)state;
	skip_without_landlock();
	run(restricted);
}

static void the_child_reads_no_file_of_others_that_everybody_may_read(void **state)
{
	(void)state;
	skip_without_landlock();
	run(sandboxed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_what_is_named_can_be_read_and_nothing_written,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_child_reads_no_file_of_others_that_everybody_may_read, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
