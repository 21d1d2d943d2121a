/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base.h"

/* Of the kernel's interface: the headers to build with may be older than the kernel. */
enum {
	RULESET_VERSION = 1, /* a flag of landlock_create_ruleset */
	RULE_PATH_BENEATH = 1,
};

#define READ_FILE    (1ULL << 2)
#define READ_DIR     (1ULL << 3)
#define BIND_TCP     (1ULL << 0)
#define SCOPE_ALL    3ULL /* abstract unix sockets, signals: those of the same domain only */
#define OF_DIRS_ONLY READ_DIR

/* What a version can restrict: so many rights to files, from the lowest bit. */
static const struct {
	unsigned int version, rights;
} files_since[] = { { 5, 16 }, { 3, 15 }, { 2, 14 }, { 1, 13 } };

#define NET_SINCE   4
#define SCOPE_SINCE 6

/* As long as the version of the kernel that it is for. */
struct ruleset {
	uint64_t files;
	uint64_t net;
	uint64_t scope;
};

struct path_beneath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

unsigned int landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, RULESET_VERSION);

	return version > 0 ? (unsigned int)version : 0;
}

static uint64_t all_files(unsigned int version)
{
	for (size_t i = 0; i < ARRAY_SIZE(files_since); i++)
		if (version >= files_since[i].version)
			return (1ULL << files_since[i].rights) - 1;
	return 0;
}

static int make_ruleset(unsigned int version)
{
	const struct ruleset rules = {
		.files = all_files(version),
		.net = version >= NET_SINCE ? BIND_TCP : 0,
		.scope = version >= SCOPE_SINCE ? SCOPE_ALL : 0,
	};
	size_t size = version >= SCOPE_SINCE ? sizeof(rules)
		      : version >= NET_SINCE ? offsetof(struct ruleset, scope)
					     : offsetof(struct ruleset, net);
	long fd = syscall(SYS_landlock_create_ruleset, &rules, size, 0);

	return fd < 0 ? -errno : (int)fd;
}

/* 0, also for what is not there or may not be seen anyway. */
static int allow(int rules, const char *path)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	struct path_beneath beneath = { .allowed = READ_FILE | READ_DIR, .fd = fd };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return 0;
	if (!S_ISDIR(st.st_mode))
		beneath.allowed &= ~OF_DIRS_ONLY;
	return syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &beneath, 0) < 0 ? -errno
											 : 0;
}

int landlock_read_only(const char *const *paths, size_t count, struct problem *why)
{
	unsigned int version = landlock_version();
	_cleanup_close_ int rules = version ? make_ruleset(version) : -1;
	int r = version && rules < 0 ? rules : 0;

	if (!version)
		return 0;
	for (size_t i = 0; i < count && !r; i++)
		r = allow(rules, paths[i]);
	if (!r && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		r = -errno;
	return r ? problem_set(why, r, "Landlock: %s", strerror(-r)) : 0;
}
