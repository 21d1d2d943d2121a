/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of the dashboard (user/web), which are part of the program: no
 * file of the host is ever served.
 */
#ifndef DAEMON_WEB_H
#define DAEMON_WEB_H

#include "core/text.h"

struct web_file {
	const char *name, *type;
	const char *hash; /* of what is in it */
	const unsigned char *bytes;
	size_t size;  /* of bytes, which are compressed by gzip */
	size_t plain; /* of what is in it */
};

/* NULL: there is none of that name. */
const struct web_file *web_find(const char *name);

/* What is in it, for clients that take nothing compressed. Errors stick in out. */
void web_inflate(const struct web_file *file, struct text *out);

#endif
