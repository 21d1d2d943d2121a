/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which engine a uri asks for. There is one; its files implement the calls of
 * store.h.
 */
#include "store/store.h"

#include "store/sqlite.h"

#define SQLITE_SCHEME "sqlite://"

int store_open(const char *uri, struct store **ret, struct problem *why)
{
	const char *path = uri + strlen(SQLITE_SCHEME);

	if (strncmp(uri, SQLITE_SCHEME, strlen(SQLITE_SCHEME)))
		return problem_set(why, -ENOTSUP,
				   "database '%s': no such engine in this build: use sqlite:///PATH",
				   uri);
	if (path[0] != '/' || path[1] == '\0')
		return problem_set(why, -EINVAL,
				   "database '%s': not an absolute path: use sqlite:///PATH", uri);
	return sqlite_open(path, ret, why);
}
