/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small files that say who may ask: tokens, keys, certificates. Read whole,
 * with a look at who else may read or write them, and noticed when they change.
 */
#ifndef DAEMON_HTTP_FILE_H
#define DAEMON_HTTP_FILE_H

#include <sys/stat.h>

#include "core/problem.h"

/* A file as it was looked at last. From zero: never. */
struct http_file {
	char *path; /* owned */
	dev_t device;
	ino_t inode;
	off_t size;
	mode_t mode;
	uid_t uid;
	struct timespec modified, changed;
};

void http_file_free(struct http_file *f);

/* Whether it is another one than at the last call. path NULL: there is none. */
bool http_file_changed(struct http_file *f, const char *path);

enum http_file_kind {
	HTTP_FILE_PUBLIC, /* nobody but owner and group may write it */
	HTTP_FILE_SECRET, /* likewise, and others may not read it */
};

/*
 * The whole file, owned by the caller, NUL-terminated. -ENOENT, -EPERM (who may
 * what; what to do), -EFBIG, ... and why.
 */
int http_file_read(const char *path, enum http_file_kind kind, size_t max, char **ret,
		   size_t *ret_size, struct problem *why);

#endif
