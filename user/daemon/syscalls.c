/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/syscalls.h"

#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>

#include "core/log.h"

#define NUMBERS	  512 /* of system calls that are known by name in the last words */
#define NAME_SIZE 24

/*
 * By what it is for; clone, mmap and mprotect are below. Not here, and so the end of moatd: mounting, other
 * namespaces, loading modules and kernels, tracing and reading other processes,
 * keys, swap, clocks, raw ports, io_uring, userfaultfd.
 */
static const char *const allowed[] = {
	/* memory */
	"brk",
	"munmap",
	"mremap",
	"madvise",
	"membarrier",
	"msync",
	"mincore",
	"mlock",
	"munlock",
	"memfd_create",
	/* threads and children */
	"fork",
	"vfork",
	"execve",
	"execveat",
	"wait4",
	"waitid",
	"exit",
	"exit_group",
	"futex",
	"futex_time64",
	"futex_waitv",
	"set_robust_list",
	"get_robust_list",
	"set_tid_address",
	"rseq",
	"arch_prctl",
	"sched_yield",
	"sched_getaffinity",
	"sched_setaffinity",
	"sched_getparam",
	"sched_getscheduler",
	"gettid",
	"getcpu",
	"restart_syscall",
	"pidfd_open",
	"pidfd_send_signal",
	"close_range",
	/* signals */
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigpending",
	"rt_sigtimedwait",
	"rt_sigsuspend",
	"sigaltstack",
	"sigreturn",
	"kill",
	"tgkill",
	"signalfd4",
	"pause",
	/* files */
	"open",
	"openat",
	"openat2",
	"creat",
	"close",
	"read",
	"readv",
	"pread64",
	"preadv",
	"preadv2",
	"write",
	"writev",
	"pwrite64",
	"pwritev",
	"pwritev2",
	"lseek",
	"_llseek",
	"fstat",
	"fstat64",
	"stat",
	"stat64",
	"lstat",
	"lstat64",
	"newfstatat",
	"fstatat64",
	"statx",
	"statfs",
	"statfs64",
	"fstatfs",
	"fstatfs64",
	"access",
	"faccessat",
	"faccessat2",
	"readlink",
	"readlinkat",
	"getdents",
	"getdents64",
	"getcwd",
	"fcntl",
	"fcntl64",
	"flock",
	"dup",
	"dup2",
	"dup3",
	"pipe",
	"pipe2",
	"fsync",
	"fdatasync",
	"sync_file_range",
	"syncfs",
	"ftruncate",
	"ftruncate64",
	"truncate",
	"fallocate",
	"fadvise64",
	"readahead",
	"sendfile",
	"sendfile64",
	"splice",
	"tee",
	"copy_file_range",
	"mkdir",
	"mkdirat",
	"rmdir",
	"unlink",
	"unlinkat",
	"rename",
	"renameat",
	"renameat2",
	"link",
	"linkat",
	"symlink",
	"symlinkat",
	"chmod",
	"fchmod",
	"fchmodat",
	"chown",
	"fchown",
	"lchown",
	"fchownat",
	"utimensat",
	"umask",
	"inotify_init1",
	"inotify_add_watch",
	"inotify_rm_watch",
	"ioctl",
	/* waiting */
	"poll",
	"ppoll",
	"ppoll_time64",
	"select",
	"_newselect",
	"pselect6",
	"pselect6_time64",
	"epoll_create",
	"epoll_create1",
	"epoll_ctl",
	"epoll_wait",
	"epoll_pwait",
	"epoll_pwait2",
	"eventfd",
	"eventfd2",
	"timerfd_create",
	"timerfd_settime",
	"timerfd_settime64",
	"timerfd_gettime",
	"timerfd_gettime64",
	"nanosleep",
	"clock_nanosleep",
	"clock_nanosleep_time64",
	/* sockets */
	"socket",
	"socketpair",
	"bind",
	"listen",
	"accept",
	"accept4",
	"connect",
	"getsockname",
	"getpeername",
	"getsockopt",
	"setsockopt",
	"sendto",
	"sendmsg",
	"sendmmsg",
	"recvfrom",
	"recvmsg",
	"recvmmsg",
	"shutdown",
	/* who, when, how much */
	"getpid",
	"getppid",
	"getpgrp",
	"getpgid",
	"getsid",
	"setsid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"getresuid",
	"getresgid",
	"getgroups",
	"getuid32",
	"geteuid32",
	"getgid32",
	"getegid32",
	"clock_gettime",
	"clock_gettime64",
	"clock_getres",
	"clock_getres_time64",
	"gettimeofday",
	"time",
	"times",
	"getrandom",
	"uname",
	"sysinfo",
	"getrusage",
	"getrlimit",
	"setrlimit",
	"ugetrlimit",
	"prlimit64",
	"getpriority",
	"setpriority",
	/* the filter */
	"bpf",
	/* children lock themselves in, root's as another user: these take rights, they give none */
	"seccomp",
	"prctl",
	"capget",
	"capset",
	"setuid",
	"setgid",
	"setresuid",
	"setresgid",
	"setgroups",
	"setuid32",
	"setgid32",
	"setresuid32",
	"setresgid32",
	"setgroups32",
	"landlock_create_ruleset",
	"landlock_add_rule",
	"landlock_restrict_self",
};

/* Filled before the filter is: a signal handler may not ask for memory. */
static char names[NUMBERS][NAME_SIZE];

static void note_names(void)
{
	for (int i = 0; i < NUMBERS; i++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);

		snprintf(names[i], NAME_SIZE, "%s", name ?: "?");
		free(name);
	}
}

static void say(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return; /* nobody left to tell */
}

/* In a handler: no memory, no stdio, no lock. */
static void last_words(int signal, siginfo_t *info, void *context)
{
	char digits[12];
	size_t at = sizeof(digits) - 1;
	unsigned int number = (unsigned int)info->si_syscall;

	(void)signal;
	(void)context;
	digits[at] = '\0';
	for (unsigned int left = number; at && (left || !digits[at]); left /= 10)
		digits[--at] = (char)('0' + left % 10);
	say("<3>moatd: system call ");
	say(number < NUMBERS ? names[number] : "?");
	say(" (");
	say(&digits[at]);
	say(") is not one that moatd makes: a bug, a library of another version, or somebody inside; "
	    "moatd ends, the filter stays in force\n");
	_exit(SYSCALLS_EXIT);
}

static int allow(scmp_filter_ctx ctx, const char *name, unsigned int count,
		 const struct scmp_arg_cmp *condition)
{
	int number = seccomp_syscall_resolve_name(name);
	int r;

	if (number == __NR_SCMP_ERROR)
		return 0; /* newer than the library */
	r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, number, count, condition);
	return r == -EDOM ? 0 : r; /* not of this architecture */
}

/* Memory is written or run, never both: what a child maps when it starts is read and run. */
static int allow_memory(scmp_filter_ctx ctx)
{
	static const char *const calls[] = { "mmap", "mmap2", "mprotect" };
	const struct scmp_arg_cmp data = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp code =
		SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC);
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(calls) && !r; i++) {
		r = allow(ctx, calls[i], 1, &data);
		r = r ?: allow(ctx, calls[i], 1, &code);
	}
	return r;
}

#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET)

/*
 * Children and threads in the namespaces of moatd: in one of its own, whoever
 * got in would be root. What clone3 is to do stands in memory, where a filter
 * cannot look; libraries take clone where there is no clone3.
 */
static int allow_children(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp same = SCMP_A0(SCMP_CMP_MASKED_EQ, NAMESPACES, 0);
	int r = allow(ctx, "clone", 1, &same);
	int number = seccomp_syscall_resolve_name("clone3");

	if (r || number == __NR_SCMP_ERROR)
		return r;
	r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), number, 0);
	return r == -EDOM ? 0 : r;
}

static int restrict_to_list(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_TRAP);
	int r = 0;

	if (!ctx)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(allowed) && !r; i++)
		r = allow(ctx, allowed[i], 0, NULL);
	r = r ?: allow_memory(ctx);
	r = r ?: allow_children(ctx);
	r = r ?: seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a list */
	/* No foreign code runs here: kernels before 5.16 would slow everything down against it. */
	r = r ?: seccomp_attr_set(ctx, SCMP_FLTATR_CTL_SSB, 1);
	r = r ?: seccomp_load(ctx);
	seccomp_release(ctx);
	return r;
}

int syscalls_restrict(struct problem *why)
{
	const struct sigaction action = { .sa_sigaction = last_words, .sa_flags = SA_SIGINFO };
	int r;

	note_names();
	if (sigaction(SIGSYS, &action, NULL) < 0)
		return problem_set(why, -errno, "SIGSYS: %s", strerror(errno));
	r = restrict_to_list();
	if (r == -EINVAL || r == -ENOSYS) {
		log_warning("the kernel takes no system call filter (%s): done without; it needs "
			    "CONFIG_SECCOMP_FILTER",
			    strerror(-r));
		return 0;
	}
	return r < 0 ? problem_set(why, r, "system call filter: %s", strerror(-r)) : 0;
}
