/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/http_tokens.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include "core/log.h"
#include "daemon/http_file.h"

#define FROM_MAX 64

struct use {
	int64_t at;
	char from[FROM_MAX];
};

struct http_tokens {
	struct tokens tokens;
	struct use *use; /* of each, owned */
	struct http_file file;
	struct problem problem;
};

int http_tokens_new(struct http_tokens **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

struct http_tokens *http_tokens_free(struct http_tokens *t)
{
	if (!t)
		return NULL;
	tokens_free(&t->tokens);
	free(t->use);
	http_file_free(&t->file);
	free(t);
	return NULL;
}

/* Takes over next; what is known of the use of those that stay goes on. */
static int put_in_force(struct http_tokens *t, struct tokens *next)
{
	_cleanup_free_ struct use *use = calloc(next->count + 1, sizeof(*use));

	if (!use)
		return -ENOMEM;
	for (size_t i = 0; i < next->count; i++) {
		const struct token *before = tokens_by_name(&t->tokens, next->token[i].name);

		if (before)
			use[i] = t->use[before - t->tokens.token];
	}
	tokens_free(&t->tokens);
	free(t->use);
	t->tokens = *next;
	*next = (struct tokens){};
	t->use = take_ptr(use);
	return 0;
}

static void none(struct http_tokens *t)
{
	tokens_free(&t->tokens);
	free(t->use);
	t->use = NULL;
}

static int take_file(struct http_tokens *t, const char *path)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_(tokens_free) struct tokens next = {};
	struct problem why = {};
	size_t size = 0;
	int err =
		http_file_read(path, HTTP_FILE_SECRET, TOKENS_SIZE_MAX, &text, &size, &t->problem);

	if (err == -ENOENT)
		t->problem.text[0] = '\0'; /* no file, no tokens */
	if (err) {
		none(t);
		return err;
	}
	err = tokens_parse(text, size, &next, &why);
	err = err ?: put_in_force(t, &next);
	if (err)
		return problem_set(&t->problem, err, "'%s': %s; what it said before stays", path,
				   why.text[0] ? why.text : strerror(-err));
	t->problem.text[0] = '\0';
	return 0;
}

bool http_tokens_look(struct http_tokens *t, const char *path, bool force)
{
	struct problem before = t->problem;
	int err;

	if (!http_file_changed(&t->file, path) && !force)
		return false;
	if (!path) {
		none(t);
		t->problem.text[0] = '\0';
		return true;
	}
	err = take_file(t, path);
	if (!err)
		log_notice("tokens: %zu in force", t->tokens.count);
	else if (*t->problem.text && strcmp(before.text, t->problem.text) != 0)
		log_error("tokens: %s", t->problem.text);
	return true;
}

const char *http_tokens_problem(const struct http_tokens *t)
{
	return t->problem.text;
}

const struct token *http_tokens_by_secret(const struct http_tokens *t, const char *secret)
{
	uint8_t digest[TOKEN_DIGEST];
	unsigned int size = 0;

	if (!EVP_Digest(secret, TOKEN_SECRET, digest, &size, EVP_sha256(), NULL) ||
	    size != sizeof(digest))
		return NULL;
	return tokens_by_digest(&t->tokens, digest);
}

const struct token *http_tokens_by_subject(const struct http_tokens *t, const char *subject)
{
	return tokens_by_subject(&t->tokens, subject);
}

const struct token *http_tokens_by_name(const struct http_tokens *t, const char *name)
{
	return tokens_by_name(&t->tokens, name);
}

void http_tokens_used(struct http_tokens *t, const struct token *token, int64_t now,
		      const char *origin)
{
	struct use *use = &t->use[token - t->tokens.token];

	use->at = now;
	snprintf(use->from, sizeof(use->from), "%s", origin);
}

size_t http_tokens_count(const struct http_tokens *t)
{
	return t->tokens.count;
}

void http_tokens_view(const struct http_tokens *t, size_t index, struct http_token_view *ret)
{
	*ret = (struct http_token_view){
		.token = &t->tokens.token[index],
		.used = t->use[index].at,
		.from = t->use[index].from,
	};
}
