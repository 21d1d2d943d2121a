/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tokens file as it is in force: read at start, at a reload, and within a
 * second of a change; and when each was used last.
 *
 * It is refused, and no token with it, if others than its owner may write it
 * or anybody may read it, or if it belongs to somebody else than root or moatd.
 * One with a line that is wrong changes nothing. Read as the user that moatd
 * runs as by then.
 *
 * A struct token of it lives until the next http_tokens_look(); its name stays.
 */
#ifndef DAEMON_HTTP_TOKENS_H
#define DAEMON_HTTP_TOKENS_H

#include "core/problem.h"
#include "core/token.h"

struct http_tokens;

int http_tokens_new(struct http_tokens **ret);
struct http_tokens *http_tokens_free(struct http_tokens *t);
DEFINE_CLEANUP(struct http_tokens, http_tokens_free)

/*
 * Reads the file if it is another one than last time, or force. path NULL: no
 * tokens. True: who has which rights may have changed.
 */
bool http_tokens_look(struct http_tokens *t, const char *path, bool force);

/* Why the file as it is now is not in force; "": it is, or there is none. */
const char *http_tokens_problem(const struct http_tokens *t);

/* By the secret of an Authorization header, or by the subject of a certificate. NULL: nobody's. */
const struct token *http_tokens_by_secret(const struct http_tokens *t, const char *secret);
const struct token *http_tokens_by_subject(const struct http_tokens *t, const char *subject);
const struct token *http_tokens_by_name(const struct http_tokens *t, const char *name);

/* Notes that it was shown, by whom. */
void http_tokens_used(struct http_tokens *t, const struct token *token, int64_t now,
		      const char *origin);

struct http_token_view {
	const struct token *token;
	int64_t used; /* unix seconds; 0: not since moatd started */
	const char *from;
};

size_t http_tokens_count(const struct http_tokens *t);
void http_tokens_view(const struct http_tokens *t, size_t index, struct http_token_view *ret);

#endif
