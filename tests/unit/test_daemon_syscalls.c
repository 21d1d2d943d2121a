/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's system call filter, each time in a child of this test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/syscalls.h"

#define FINE 42

/* What a child that locked itself in ended with after it called fn, and what it said. */
static int run_restricted(void (*fn)(void), char said[static 512])
{
	struct problem why = {};
	int ends[2], status;
	size_t at = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(ends[1], STDERR_FILENO);
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscalls_restrict(&why))
			_exit(1);
		fn();
		_exit(FINE);
	}
	close(ends[1]);
	while ((n = read(ends[0], said + at, 511 - at)) > 0)
		at += (size_t)n;
	said[at] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void trace_another(void)
{
	ptrace(PTRACE_ATTACH, getppid(), 0, 0);
}

static void mount_something(void)
{
	mount("none", "/tmp", "tmpfs", 0, NULL);
}

static void make_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(p, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
}

static void enter_a_namespace(void)
{
	if (!syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL))
		_exit(0);
}

/* Its flags cannot be seen, so there is none. */
static void clone_unseen(void)
{
	const uint64_t args[8] = { CLONE_NEWUSER, [4] = SIGCHLD };

	if (syscall(SYS_clone3, args, sizeof(args)) != -1 || errno != ENOSYS)
		_exit(1);
}

static void *idle(void *arg)
{
	return arg;
}

static void start_a_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, idle, NULL) || pthread_join(thread, NULL))
		_exit(1);
}

static void start_a_program(void)
{
	char *const argv[] = { (char[]){ "true" }, NULL };
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, "true", NULL, NULL, argv, NULL) || waitpid(pid, &status, 0) != pid ||
	    status)
		_exit(1);
}

static void a_call_that_moatd_does_not_make_ends_it_and_is_named(void **state)
{
	char said[512];

	(void)state;
	assert_int_equal(run_restricted(trace_another, said), SYSCALLS_EXIT);
	assert_non_null(strstr(said, "system call ptrace ("));
	assert_non_null(strstr(said, "the filter stays in force\n"));
	assert_int_equal(run_restricted(mount_something, said), SYSCALLS_EXIT);
	assert_non_null(strstr(said, "system call mount ("));
}

static void memory_that_is_written_cannot_be_run(void **state)
{
	char said[512];

	(void)state;
	assert_int_equal(run_restricted(make_code, said), SYSCALLS_EXIT);
	assert_non_null(strstr(said, "system call mprotect ("));
}

static void a_child_can_be_started(void **state)
{
	char said[512];

	(void)state;
	assert_int_equal(run_restricted(start_a_program, said), FINE);
	assert_string_equal(said, "");
	assert_int_equal(run_restricted(start_a_thread, said), FINE);
}

static void no_child_gets_namespaces_of_its_own(void **state)
{
	char said[512];

	(void)state;
	assert_int_equal(run_restricted(enter_a_namespace, said), SYSCALLS_EXIT);
	assert_non_null(strstr(said, "system call clone ("));
	assert_int_equal(run_restricted(clone_unseen, said), FINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_that_moatd_does_not_make_ends_it_and_is_named),
		cmocka_unit_test(memory_that_is_written_cannot_be_run),
		cmocka_unit_test(a_child_can_be_started),
		cmocka_unit_test(no_child_gets_namespaces_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
