/* SPDX-License-Identifier: BSD-2-Clause */
#include "plane/bpffs.h"

#include <dirent.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <bpf/bpf.h>

#include "plane/kernel.h"

#define MODE_PINS  0700
#define MODE_ABOVE 0755 /* of directories above the mount */

bool bpffs_is(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && (uint32_t)fs.f_type == BPF_FS_MAGIC;
}

int bpffs_path(char buf[static PATH_MAX], const char *dir, const char *name)
{
	int size = snprintf(buf, PATH_MAX, "%s/%s", dir, name);

	return size < 0 || size >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* mkdir -p; the pins are ours alone, directories above them are for all. */
static int make_directories(const char *dir)
{
	char path[PATH_MAX];
	bool ours = false;

	if ((size_t)snprintf(path, sizeof(path), "%s", dir) >= sizeof(path))
		return -ENAMETOOLONG;
	for (char *at = path + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(path, ours ? MODE_PINS : MODE_ABOVE) && errno != EEXIST &&
		    access(path, F_OK))
			return -errno;
		ours = bpffs_is(path);
		*at = '/';
	}
	return mkdir(path, MODE_PINS) && errno != EEXIST ? -errno : 0;
}

/* The longest part of path that exists, "/" at least. */
static int nearest_existing(const char *path, char buf[static PATH_MAX])
{
	if ((size_t)snprintf(buf, PATH_MAX, "%s", path) >= PATH_MAX)
		return -ENAMETOOLONG;
	while (access(buf, F_OK)) {
		char *slash = strrchr(buf, '/');

		if (!slash || slash == buf)
			return snprintf(buf, PATH_MAX, "/") < 0 ? -EINVAL : 0;
		*slash = '\0';
	}
	return 0;
}

static bool is_empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool empty = dir;

	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			empty = false;
	if (dir)
		closedir(dir);
	return empty;
}

static bool is_below_default(const char *dir)
{
	size_t size = strlen(BPFFS_DEFAULT_MOUNT);

	return !strncmp(dir, BPFFS_DEFAULT_MOUNT, size) && (dir[size] == '/' || !dir[size]);
}

/* Whether what is mounted here is seen by nobody else, and ends with the last process here. */
static bool mounts_are_private(void)
{
	struct stat ours, first;

	return !stat("/proc/self/ns/mnt", &ours) && !stat("/proc/1/ns/mnt", &first) &&
	       ours.st_ino != first.st_ino;
}

static int mount_bpffs(const char *dir, struct problem *why)
{
	const char *on = is_below_default(dir) ? BPFFS_DEFAULT_MOUNT : dir;
	int r;

	if (on == dir) {
		r = make_directories(dir);
		if (r)
			return kernel_error(why, r, "pins '%s': cannot make the directory", dir);
		if (!is_empty(dir))
			return problem_set(
				why, -ENOTSUP,
				"pins '%s': lies on no BPF file system, and is not empty: choose a "
				"directory below %s (mount -t bpf bpf %s)",
				dir, BPFFS_DEFAULT_MOUNT, BPFFS_DEFAULT_MOUNT);
	}
	if (mount("bpf", on, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700")) {
		r = -errno;
		return problem_set(why, r,
				   "pins '%s': lies on no BPF file system, and mounting one failed: %s; "
				   "as root, do: mount -t bpf bpf %s",
				   dir, strerror(-r), on);
	}
	if (mounts_are_private())
		return problem_set(
			why, 0,
			"pins '%s': mounted a BPF file system on %s, but moatd runs in a mount "
			"namespace of its own, as 'ip netns exec' makes one: pins and filter END WITH "
			"IT; enter a network namespace with nsenter --net=/run/netns/NAME instead",
			dir, on);
	return problem_set(why, 0, "pins '%s': mounted a BPF file system on %s", dir, on);
}

int bpffs_prepare(const char *dir, struct problem *why)
{
	char existing[PATH_MAX];
	int r;

	problem_set(why, 0, "%s", "");
	if (dir[0] != '/')
		return problem_set(why, -EINVAL, "pins '%s': must be an absolute path", dir);
	r = nearest_existing(dir, existing);
	if (r)
		return kernel_error(why, r, "pins '%s'", dir);
	if (!bpffs_is(existing)) {
		r = mount_bpffs(dir, why);
		if (r)
			return r;
	}
	r = make_directories(dir);
	return r ? kernel_error(why, r, "pins '%s': cannot make the directory", dir) : 0;
}

int bpffs_pin(int fd, const char *dir, const char *name)
{
	char path[PATH_MAX], aside[PATH_MAX];
	int r;

	/* No dots: BPF file systems refuse them in names. */
	if (bpffs_path(path, dir, name) ||
	    (size_t)snprintf(aside, sizeof(aside), "%s/%s_new", dir, name) >= sizeof(aside))
		return -ENAMETOOLONG;
	unlink(aside); /* of a daemon that died just here */
	r = bpf_obj_pin(fd, aside);
	if (r)
		return r;
	if (rename(aside, path)) {
		r = -errno;
		unlink(aside);
	}
	return r;
}

int bpffs_get(const char *dir, const char *name)
{
	char path[PATH_MAX];

	return bpffs_path(path, dir, name) ?: bpf_obj_get(path);
}

int bpffs_unpin(const char *dir, const char *name)
{
	char path[PATH_MAX];
	int r = bpffs_path(path, dir, name);

	if (r)
		return r;
	return unlink(path) && errno != ENOENT ? -errno : 0;
}
