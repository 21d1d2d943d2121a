/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tokens file as moatctl changes it: whole, or not at all. A new one takes
 * the place of the old one with its owner and mode; one that was not there
 * before is closed to others.
 */
#ifndef CLI_TOKEN_FILE_H
#define CLI_TOKEN_FILE_H

#include "core/problem.h"
#include "core/token.h"

#define TOKEN_LINE_MAX 4096

/* A new secret, NUL-terminated, and what the file has of it, in hexadecimal digits. 0 or negative errno. */
int token_secret_new(char ret[static TOKEN_SECRET + 1], char ret_digest[static TOKEN_DIGEST_TEXT]);

/* -EEXIST: there is one of this name. A line that would make the file wrong is refused. */
int token_file_add(const char *path, const char *name, const char *line, struct problem *why);

/* -ENOENT: there is none of this name. */
int token_file_remove(const char *path, const char *name, struct problem *why);

#endif
