/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tokens file: who may do what over TCP, until when, and how he proves
 * that it is he.
 *
 *	# a line a token; '#' begins a comment
 *	ci verbs=read,write categories=botnet,spam feeds=manual expires=2027-02-21T10:00:00Z sha256=HEX
 *	prometheus verbs=read subject=CN=prometheus,O=Example Ltd
 *
 * verbs must be there, and one of sha256 (of the secret) and subject (of a
 * client certificate; last, for it may have blanks). Left out, categories and
 * feeds are all, and it does not expire. "*" is all, too.
 *
 * A secret is "moat_" and 256 random bits in base64url. Nothing shorter is
 * looked up at all, so that its plain SHA-256 cannot be found by guessing: a
 * slow hash would only slow down every request. Pure; the caller hashes.
 */
#ifndef CORE_TOKEN_H
#define CORE_TOKEN_H

#include "core/problem.h"

#define TOKENS_MAX	  1000
#define TOKENS_SIZE_MAX	  (1024 * 1024) /* bytes of the file */
#define TOKEN_NAME_MAX	  48		/* with NUL */
#define TOKEN_DIGEST	  32
#define TOKEN_DIGEST_TEXT (2 * TOKEN_DIGEST + 1)
#define TOKEN_PREFIX	  "moat_"
#define TOKEN_SECRET_BITS 256
#define TOKEN_SECRET	  48 /* characters: the prefix and 43 of base64url */

/*        verb    name     what it lets do */
#define TOKEN_VERBS(X)                                                                             \
	X(READ, "read", "read everything that the API tells")                                      \
	X(WRITE, "write", "add, allow and end listings, report")                                   \
	X(FEEDS, "feeds", "fetch, import, hold and release feeds")                                 \
	X(ADMIN, "admin", "everything else: pause, attach, configuration, audit, tokens")

enum token_verb {
#define X(verb, name, text) TOKEN_##verb,
	TOKEN_VERBS(X)
#undef X
		TOKEN_VERB_MAX,
};

struct token {
	char name[TOKEN_NAME_MAX];
	uint32_t verbs;	  /* bit of each enum token_verb */
	char *categories; /* "botnet,spam"; NULL: all */
	char *feeds;	  /* likewise */
	int64_t expires;  /* unix seconds, 0: never */
	char *subject;	  /* of the certificate; NULL: it is a secret's */
	uint8_t digest[TOKEN_DIGEST];
};

struct tokens {
	size_t count;
	struct token *token; /* owned */
};

void token_free(struct token *t);
void tokens_free(struct tokens *t);

/* ret is another one afterwards, or (-ENOMEM) none. */
int token_copy(const struct token *t, struct token *ret);

/* Whether they let the same one do the same. */
bool token_same(const struct token *a, const struct token *b);

/* Whole or not at all: ret is untouched if a line is wrong, which why names. 0, -EINVAL, -ENOMEM. */
int tokens_parse(const char *text, size_t size, struct tokens *ret, struct problem *why);

/* Compared with each, in the same time whichever it is. NULL: nobody's. */
const struct token *tokens_by_digest(const struct tokens *t,
				     const uint8_t digest[static TOKEN_DIGEST]);
const struct token *tokens_by_subject(const struct tokens *t, const char *subject);
const struct token *tokens_by_name(const struct tokens *t, const char *name);

/* The secret in an Authorization header, not NUL-terminated, TOKEN_SECRET long. NULL: there is none. */
const char *token_of_header(const char *authorization);

bool token_name_ok(const char *name);

/* "read,write" or "*" into bits. 0: a word is none, or there is none. */
uint32_t token_verbs_parse(const char *text);
/* The other way. Returns buf. */
#define TOKEN_VERBS_TEXT 64
const char *token_verbs_format(uint32_t verbs, char buf[static TOKEN_VERBS_TEXT]);

/* A list of names with commas between, or "*". Names are those of categories and feeds. */
bool token_list_ok(const char *text);

bool token_expired(const struct token *t, int64_t now);
bool token_may(const struct token *t, enum token_verb verb);

/* Whether listings of the category in the feed are his to write. NULL: of whatever category or feed. */
bool token_covers(const struct token *t, const char *category, const char *feed);

#endif
