/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feeder_keep.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#define LOCK_TRIES 8 /* against another process that renames between open and lock */

struct feeder_keep {
	char *path, *part;
	int fd;
	bool done;
};

/* The file that was locked may have got its place, and its name, in between. */
static bool is_still_there(int fd, const char *path)
{
	struct stat locked, named;

	return !fstat(fd, &locked) && !lstat(path, &named) && locked.st_ino == named.st_ino &&
	       locked.st_dev == named.st_dev;
}

static int open_part(const char *part)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		_cleanup_close_ int fd =
			open(part, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return errno == EWOULDBLOCK ? -EBUSY : -errno;
		if (!is_still_there(fd, part))
			continue;
		if (ftruncate(fd, 0) < 0)
			return -errno;
		return take_fd(fd);
	}
	return -EBUSY;
}

int feeder_keep_open(const char *path, struct feeder_keep **ret, struct problem *why)
{
	_cleanup_(feeder_keep_freep) struct feeder_keep *k = calloc(1, sizeof(*k));

	if (!k)
		return problem_set(why, -ENOMEM, "out of memory");
	k->fd = -1;
	k->path = strdup(path);
	if (!k->path || asprintf(&k->part, "%s" FEEDER_PART, path) < 0) {
		k->part = NULL;
		return problem_set(why, -ENOMEM, "out of memory");
	}
	k->fd = open_part(k->part);
	if (k->fd == -EBUSY)
		return problem_set(why, -EBUSY, "'%s': another job writes it", k->part);
	if (k->fd < 0)
		return problem_set(why, k->fd, "cannot write '%s': %s", k->part, strerror(-k->fd));
	*ret = take_ptr(k);
	return 0;
}

int feeder_keep_fd(const struct feeder_keep *k)
{
	return k->fd;
}

/* The new name is on disk only when its directory is. */
static int sync_directory(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	_cleanup_close_ int fd = -1;
	char *slash = copy ? strrchr(copy, '/') : NULL;

	if (!copy)
		return -ENOMEM;
	if (slash)
		slash[slash == copy] = '\0';
	fd = open(slash ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int feeder_keep_commit(struct feeder_keep *k, struct problem *why)
{
	int r;

	if (fsync(k->fd) < 0 || rename(k->part, k->path) < 0)
		return problem_set(why, -errno, "cannot keep '%s': %s", k->path, strerror(errno));
	k->done = true;
	r = sync_directory(k->path);
	return r < 0 ? problem_set(why, r, "cannot keep '%s': %s", k->path, strerror(-r)) : 0;
}

struct feeder_keep *feeder_keep_free(struct feeder_keep *k)
{
	if (!k)
		return NULL;
	if (k->fd >= 0) {
		if (!k->done)
			unlink(k->part);
		close(k->fd);
	}
	free(k->path);
	free(k->part);
	free(k);
	return NULL;
}
