/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/http_file.h"

#include <fcntl.h>

void http_file_free(struct http_file *f)
{
	free(f->path);
	*f = (struct http_file){};
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same(const struct http_file *a, const struct http_file *b)
{
	return !a->path == !b->path && (!a->path || !strcmp(a->path, b->path)) &&
	       a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->mode == b->mode && a->uid == b->uid && same_time(&a->modified, &b->modified) &&
	       same_time(&a->changed, &b->changed);
}

bool http_file_changed(struct http_file *f, const char *path)
{
	struct http_file now = {};
	struct stat st;

	if (path && stat(path, &st) == 0)
		now = (struct http_file){
			.device = st.st_dev,
			.inode = st.st_ino,
			.size = st.st_size,
			.mode = st.st_mode,
			.uid = st.st_uid,
			.modified = st.st_mtim,
			.changed = st.st_ctim,
		};
	now.path = path ? strdup(path) : NULL;
	if (same(f, &now)) {
		free(now.path);
		return false;
	}
	http_file_free(f);
	*f = now;
	return true;
}

static int check_rights(const char *path, const struct stat *st, enum http_file_kind kind,
			struct problem *why)
{
	if (!S_ISREG(st->st_mode))
		return problem_set(why, -EPERM, "'%s': not a file", path);
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return problem_set(why, -EPERM,
				   "'%s': belongs to uid %u, who could change it: 'chown root %s'",
				   path, (unsigned int)st->st_uid, path);
	if (st->st_mode & S_IWOTH)
		return problem_set(why, -EPERM, "'%s': everybody may write it: 'chmod o= %s'", path,
				   path);
	if (kind == HTTP_FILE_SECRET && st->st_mode & S_IROTH)
		return problem_set(why, -EPERM, "'%s': everybody may read it: 'chmod o= %s'", path,
				   path);
	return 0;
}

int http_file_read(const char *path, enum http_file_kind kind, size_t max, char **ret,
		   size_t *ret_size, struct problem *why)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_free_ char *buf = NULL;
	struct stat st;
	size_t size = 0;
	ssize_t n;
	int err;

	if (fd < 0 && errno == EACCES)
		return problem_set(why, -EACCES,
				   "'%s': cannot be read by the user moatd runs as: 'chgrp' it to his "
				   "group, 'chmod 640'",
				   path);
	if (fd < 0 || fstat(fd, &st))
		return problem_set(why, -errno, "'%s': cannot be read: %s", path, strerror(errno));
	err = check_rights(path, &st, kind, why);
	if (err)
		return err;
	buf = malloc(max + 1);
	if (!buf)
		return problem_set(why, -ENOMEM, "'%s': out of memory", path);
	while ((n = read(fd, buf + size, max + 1 - size)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return problem_set(why, -errno, "'%s': cannot be read: %s", path,
					   strerror(errno));
		size += (size_t)n;
		if (size > max)
			return problem_set(why, -EFBIG, "'%s': larger than %zu bytes", path, max);
	}
	buf[size] = '\0';
	*ret_size = size;
	*ret = take_ptr(buf);
	return 0;
}
