/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feeder_sandbox.h"

#include <cap-ng.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "daemon/landlock.h"

#define NOBODY 65534 /* where there is no user of that name */

/* ---- user, capabilities ---- */

/*
 * A namespace or a service manager may not let root become another user; then
 * it stays one without capabilities, who can still write nothing (see below).
 */
static void drop_user(void)
{
	const struct passwd *nobody = getpwnam("nobody");
	uid_t uid = nobody ? nobody->pw_uid : NOBODY;
	gid_t gid = nobody ? nobody->pw_gid : NOBODY;

	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0)
		errno = 0; /* the user matters more */
	if (setresuid(uid, uid, uid) < 0)
		errno = 0;
}

static int drop_rights(struct problem *why)
{
	/* While there is CAP_SETPCAP; without it there is nothing in the set that could come back. */
	capng_get_caps_process();
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP)) {
		capng_clear(CAPNG_SELECT_BOUNDS);
		if (capng_apply(CAPNG_SELECT_BOUNDS) < 0)
			return problem_set(why, -EPERM, "sandbox: capabilities cannot be bounded");
	}
	if (!geteuid())
		drop_user();
	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0)
		return problem_set(why, -EPERM, "sandbox: capabilities cannot be dropped");
	capng_get_caps_process();
	if (capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE)
		return problem_set(why, -EPERM, "sandbox: capabilities are still there");
	return 0;
}

/* ---- limits ---- */

/* Bytes of address space in use; 0 if it cannot be told. */
static uint64_t memory_mapped(void)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/statm", "re");
	unsigned long long pages = 0;

	if (!file || fscanf(file, "%llu", &pages) != 1)
		return 0;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int set_limits(uint64_t file_size, struct problem *why)
{
	const struct {
		int resource;
		rlim_t value;
	} limits[] = {
		{ RLIMIT_AS, memory_mapped() + SANDBOX_MEMORY },
		{ RLIMIT_CPU, SANDBOX_CPU_SECONDS },
		{ RLIMIT_FSIZE, file_size },
		{ RLIMIT_NOFILE, SANDBOX_DESCRIPTORS },
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_MEMLOCK, 0 },
		{ RLIMIT_MSGQUEUE, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit limit, now;

		if (getrlimit(limits[i].resource, &now) < 0)
			return problem_set(why, -errno, "sandbox: limits: %s", strerror(errno));
		limit.rlim_cur = limits[i].value < now.rlim_max ? limits[i].value : now.rlim_max;
		limit.rlim_max = limit.rlim_cur;
		/* SIGXCPU comes at the first, SIGKILL at the second. */
		if (limits[i].resource == RLIMIT_CPU && limit.rlim_max < now.rlim_max)
			limit.rlim_max++;
		if (setrlimit(limits[i].resource, &limit) < 0)
			return problem_set(why, -errno, "sandbox: limits: %s", strerror(errno));
	}
	return 0;
}

/* ---- system calls ---- */

/* Without conditions. What a kernel or an architecture does not have is left out. */
static const char *const allowed[] = {
	/* memory; mmap and mprotect below */
	"brk",
	"munmap",
	"mremap",
	"madvise",
	"membarrier",
	/* threads; clone below */
	"futex",
	"futex_time64",
	"set_robust_list",
	"rseq",
	"sched_yield",
	"sched_getaffinity",
	"gettid",
	"getcpu",
	"exit",
	"exit_group",
	"restart_syscall",
	"sigaltstack",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	/* files and pipes; openat below */
	"read",
	"readv",
	"pread64",
	"write",
	"writev",
	"close",
	"lseek",
	"_llseek",
	"fstat",
	"fstat64",
	"stat",
	"lstat",
	"newfstatat",
	"fstatat64",
	"statx",
	"access",
	"faccessat",
	"faccessat2",
	"readlink",
	"readlinkat",
	"getdents64",
	"fcntl",
	"fcntl64",
	"dup",
	"pipe2",
	"eventfd2",
	"fadvise64",
	/* waiting */
	"poll",
	"ppoll",
	"ppoll_time64",
	"select",
	"_newselect",
	"pselect6",
	"pselect6_time64",
	"epoll_create1",
	"epoll_ctl",
	"epoll_wait",
	"epoll_pwait",
	"nanosleep",
	"clock_nanosleep",
	/* sockets; socket below */
	"socketpair",
	"connect",
	"bind",
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
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"getuid32",
	"geteuid32",
	"getgid32",
	"getegid32",
	"clock_gettime",
	"clock_gettime64",
	"clock_getres",
	"gettimeofday",
	"time",
	"getrandom",
	"uname",
	"sysinfo",
	"getrusage",
};

/* Libraries try these and do well without. */
static const struct {
	const char *name;
	int error;
} refused[] = {
	{ "clone3", ENOSYS }, /* its flags cannot be looked at; clone's can */
	{ "open", EACCES },
	{ "openat2", ENOSYS },
	{ "ioctl", ENOTTY },
	{ "prctl", EINVAL },
	{ "prlimit64", EPERM },
	{ "sched_setscheduler", EPERM },
	{ "sched_setaffinity", EPERM },
	{ "setpriority", EPERM },
};

static int rule(scmp_filter_ctx ctx, uint32_t action, const char *name, unsigned int count,
		const struct scmp_arg_cmp *condition)
{
	int number = seccomp_syscall_resolve_name(name);
	int r;

	if (number == __NR_SCMP_ERROR)
		return 0;
	r = seccomp_rule_add_array(ctx, action, number, count, condition);
	return r == -EDOM ? 0 : r; /* not of this architecture */
}

static int add_tables(scmp_filter_ctx ctx)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(allowed) && !r; i++)
		r = rule(ctx, SCMP_ACT_ALLOW, allowed[i], 0, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(refused) && !r; i++)
		r = rule(ctx, SCMP_ACT_ERRNO(refused[i].error), refused[i].name, 0, NULL);
	return r;
}

/* Nothing is opened to write, nothing becomes executable, a new task is a thread. */
static int add_conditions(scmp_filter_ctx ctx)
{
	const scmp_datum_t writes = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
	const struct scmp_arg_cmp reading = SCMP_A2(SCMP_CMP_MASKED_EQ, writes, O_RDONLY);
	const struct scmp_arg_cmp data = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC);
	const struct scmp_arg_cmp thread = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);
	/* abort() */
	const struct scmp_arg_cmp self = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid());
	int r;

	r = rule(ctx, SCMP_ACT_ALLOW, "openat", 1, &reading);
	r = r ?: rule(ctx, SCMP_ACT_ALLOW, "mmap", 1, &data);
	r = r ?: rule(ctx, SCMP_ACT_ALLOW, "mmap2", 1, &data);
	r = r ?: rule(ctx, SCMP_ACT_ALLOW, "mprotect", 1, &data);
	/* Plug-ins of the resolver: it goes on without. */
	r = r ?: rule(ctx, SCMP_ACT_ERRNO(EPERM), "mmap", 1, &code);
	r = r ?: rule(ctx, SCMP_ACT_ERRNO(EPERM), "mmap2", 1, &code);
	r = r ?: rule(ctx, SCMP_ACT_ALLOW, "clone", 1, &thread);
	return r ?: rule(ctx, SCMP_ACT_ALLOW, "tgkill", 1, &self);
}

/* IPv4, IPv6, and the resolver's question which addresses there are; no unix sockets of services. */
static int add_sockets(scmp_filter_ctx ctx)
{
	static const int families[] = { AF_INET, AF_INET6 };
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };
	const int type_mask = ~(SOCK_CLOEXEC | SOCK_NONBLOCK) & 0xffff;
	const struct scmp_arg_cmp route[] = {
		SCMP_A0(SCMP_CMP_EQ, AF_NETLINK), SCMP_A2(SCMP_CMP_EQ, 0), /* NETLINK_ROUTE */
	};
	const struct scmp_arg_cmp local = SCMP_A0(SCMP_CMP_EQ, AF_UNIX);
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(families) && !r; i++)
		for (size_t j = 0; j < ARRAY_SIZE(types) && !r; j++) {
			const struct scmp_arg_cmp inet[] = {
				SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]),
				SCMP_A1(SCMP_CMP_MASKED_EQ, (scmp_datum_t)type_mask,
					(scmp_datum_t)types[j]),
			};

			r = rule(ctx, SCMP_ACT_ALLOW, "socket", ARRAY_SIZE(inet), inet);
		}
	r = r ?: rule(ctx, SCMP_ACT_ALLOW, "socket", ARRAY_SIZE(route), route);
	return r ?: rule(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), "socket", 1, &local);
}

static int set_filter(struct problem *why)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r;

	if (!ctx)
		return problem_set(why, -ENOMEM, "sandbox: out of memory");
	r = add_tables(ctx);
	r = r ?: add_conditions(ctx);
	r = r ?: add_sockets(ctx);
	r = r ?: seccomp_load(ctx);
	seccomp_release(ctx);
	if (r < 0)
		return problem_set(why, r,
				   "sandbox: the kernel takes no system call filter (%s): it needs "
				   "CONFIG_SECCOMP_FILTER",
				   strerror(-r));
	return 0;
}

/* ---- files ---- */

/* What resolver and TLS library read; certificates of the configuration come with the order. */
static const char *const readable[] = {
	"/etc/resolv.conf",
	"/etc/hosts",
	"/etc/host.conf",
	"/etc/nsswitch.conf",
	"/etc/gai.conf",
	"/etc/services",
	"/etc/protocols",
	"/etc/localtime",
	"/etc/ssl",
	"/etc/pki",
	"/etc/crypto-policies",
	"/etc/ca-certificates",
	"/usr",
	"/lib",
	"/lib64",
	/* what /etc/resolv.conf may be a link to, renewed while the child runs */
	"/run/systemd/resolve",
	"/run/resolvconf",
	"/run/NetworkManager",
	/* where the library asks how many CPUs there are, and who it is */
	"/proc/self",
	"/sys/devices/system/cpu",
	"/dev/urandom",
	"/dev/null",
};

/* ---- all of it ---- */

/* The kernel forgets it when the user changes, so it comes after that. */
static int die_with(pid_t parent, struct problem *why)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return problem_set(why, -errno, "sandbox: %s", strerror(errno));
	if (getppid() != parent)
		return problem_set(why, -ESRCH, "sandbox: who started this is gone");
	return 0;
}

int sandbox_enter(pid_t parent, uint64_t file_size, struct problem *why)
{
	int r = drop_rights(why);

	r = r ?: die_with(parent, why);
	if (r < 0)
		return r;
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return problem_set(why, -errno, "sandbox: %s", strerror(errno));
	r = set_limits(file_size, why);
	r = r ?: landlock_read_only(readable, ARRAY_SIZE(readable), why);
	return r ?: set_filter(why);
}
