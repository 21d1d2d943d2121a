/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/durable.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#define FRESH "~" /* behind the name of a file that is being written */

static int fail(const char *path, const char *what, struct problem *why)
{
	int error = errno ? -errno : -EIO;

	return problem_set(why, error, "'%s': %s: %s", path, what, strerror(-error));
}

static int directory_of(const char *path, char ret[static PATH_MAX], struct problem *why)
{
	const char *slash = strrchr(path, '/');
	int size = slash ? snprintf(ret, PATH_MAX, "%.*s/", (int)(slash - path), path)
			 : snprintf(ret, PATH_MAX, "./");

	if (size > 0 && size < PATH_MAX)
		return 0;
	return problem_set(why, -ENAMETOOLONG, "'%.80s...': the path is too long", path);
}

/* A name in a directory lasts once the directory does. */
static int sync_directory(const char *path, struct problem *why)
{
	_cleanup_close_ int fd = -1;
	char directory[PATH_MAX];
	int r = directory_of(path, directory, why);

	if (r)
		return r;
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		return fail(directory, "cannot be synced", why);
	return 0;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Who may not give a file away keeps it: it is as readable as it was. */
static int take_after(int fd, const char *path, mode_t mode)
{
	struct stat was, is;

	if (stat(path, &was))
		return fchmod(fd, mode);
	if (fstat(fd, &is))
		return -1;
	if ((was.st_uid != is.st_uid || was.st_gid != is.st_gid) &&
	    fchown(fd, was.st_uid, was.st_gid) && errno != EPERM)
		return -1;
	return fchmod(fd, was.st_mode & 0777);
}

int durable_write(const char *path, const char *data, size_t size, mode_t mode, struct problem *why)
{
	_cleanup_close_ int fd = -1;
	char fresh[PATH_MAX];
	int length = snprintf(fresh, sizeof(fresh), "%s" FRESH, path);

	if (length < 0 || (size_t)length >= sizeof(fresh))
		return problem_set(why, -ENAMETOOLONG, "'%.80s...': the path is too long", path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail(fresh, "cannot be written", why);
	if (write_all(fd, data, size) || take_after(fd, path, mode) || fsync(fd) ||
	    rename(fresh, path)) {
		int r = fail(path, "cannot be written", why);

		unlink(fresh);
		return r;
	}
	return sync_directory(path, why);
}

int durable_remove(const char *path, struct problem *why)
{
	if (unlink(path))
		return errno == ENOENT ? 0 : fail(path, "cannot be removed", why);
	return sync_directory(path, why);
}

int durable_read(const char *path, size_t max, char **ret, size_t *ret_size, struct problem *why)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *data = NULL;
	struct stat info;
	size_t size = 0;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &info))
		return fail(path, "cannot be read", why);
	if (info.st_size < 0 || (size_t)info.st_size > max)
		return problem_set(why, -EFBIG, "'%s': it is larger than %zu bytes", path, max);
	data = malloc((size_t)info.st_size + 1);
	if (!data)
		return problem_set(why, -ENOMEM, "out of memory");
	while (n > 0 && size < (size_t)info.st_size) {
		n = read(fd, data + size, (size_t)info.st_size - size);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			size += (size_t)n;
	}
	if (n < 0)
		return fail(path, "cannot be read", why);
	data[size] = '\0';
	*ret_size = size;
	*ret = take_ptr(data);
	return 0;
}

int durable_check(const char *path, struct problem *why)
{
	char directory[PATH_MAX];
	int r = directory_of(path, directory, why);

	if (r)
		return r;
	return faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS)
		       ? fail(directory, "moatd cannot write there", why)
		       : 0;
}
