/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/token.h"

#include <strings.h>

#include "core/when.h"

#define LINE_MAX_BYTES 4096
#define NAME_LETTERS   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
#define SECRET_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
#define SCHEME	       "Bearer"

/* These are about everything: a category does not narrow them down. */
#define VERBS_UNBOUND (1U << TOKEN_FEEDS | 1U << TOKEN_ADMIN)

static const char *const verb_names[] = {
#define X(verb, name, text) name,
	TOKEN_VERBS(X)
#undef X
};

void token_free(struct token *t)
{
	free(t->categories);
	free(t->feeds);
	free(t->subject);
	*t = (struct token){};
}

static int copy_text(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return text && !*ret ? -ENOMEM : 0;
}

int token_copy(const struct token *t, struct token *ret)
{
	*ret = *t;
	ret->categories = ret->feeds = ret->subject = NULL;
	if (!copy_text(t->categories, &ret->categories) && !copy_text(t->feeds, &ret->feeds) &&
	    !copy_text(t->subject, &ret->subject))
		return 0;
	token_free(ret);
	return -ENOMEM;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool token_same(const struct token *a, const struct token *b)
{
	return !strcmp(a->name, b->name) && a->verbs == b->verbs && a->expires == b->expires &&
	       same_text(a->categories, b->categories) && same_text(a->feeds, b->feeds) &&
	       same_text(a->subject, b->subject) && !memcmp(a->digest, b->digest, TOKEN_DIGEST);
}

void tokens_free(struct tokens *t)
{
	for (size_t i = 0; i < t->count; i++)
		token_free(&t->token[i]);
	free(t->token);
	*t = (struct tokens){};
}

/* ---- words ---- */

bool token_name_ok(const char *name)
{
	size_t size = strspn(name, NAME_LETTERS);

	return size && size < TOKEN_NAME_MAX && !name[size];
}

/* The next of a list with commas between, as its size; *at moves behind it. 0: the end. */
static size_t next_word(const char **at, const char **ret)
{
	size_t size = strcspn(*at, ",");

	*ret = *at;
	*at += size + ((*at)[size] == ',' && (*at)[size + 1] != '\0');
	return size;
}

static bool is_in(const char *list, const char *word)
{
	size_t size = strlen(word), have;
	const char *at = list, *start;

	while ((have = next_word(&at, &start)))
		if (have == size && memcmp(start, word, size) == 0)
			return true;
	return false;
}

bool token_list_ok(const char *text)
{
	char name[TOKEN_NAME_MAX];

	if (!strcmp(text, "*"))
		return true;
	while (*text) {
		size_t size = strcspn(text, ",");

		if (size >= sizeof(name))
			return false;
		memcpy(name, text, size);
		name[size] = '\0';
		if (!token_name_ok(name))
			return false;
		text += size;
		if (!*text)
			return true;
		text++;
	}
	return false; /* empty, or ends with a comma */
}

static uint32_t verb_bit(const char *word, size_t size)
{
	for (size_t i = 0; i < TOKEN_VERB_MAX; i++)
		if (strlen(verb_names[i]) == size && !memcmp(verb_names[i], word, size))
			return 1U << i;
	return 0;
}

uint32_t token_verbs_parse(const char *text)
{
	uint32_t verbs = 0, bit;

	if (!strcmp(text, "*"))
		return (1U << TOKEN_VERB_MAX) - 1;
	for (;;) {
		size_t size = strcspn(text, ",");

		bit = verb_bit(text, size);
		if (!bit)
			return 0;
		verbs |= bit;
		if (!text[size])
			return verbs;
		text += size + 1;
	}
}

const char *token_verbs_format(uint32_t verbs, char buf[static TOKEN_VERBS_TEXT])
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < TOKEN_VERB_MAX; i++)
		if (verbs >> i & 1)
			used += (size_t)snprintf(buf + used, TOKEN_VERBS_TEXT - used, "%s%s",
						 used ? "," : "", verb_names[i]);
	return buf;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool digest_parse(const char *text, uint8_t ret[static TOKEN_DIGEST])
{
	for (size_t i = 0; i < TOKEN_DIGEST; i++) {
		int high = digit_of(text[2 * i]);
		int low = high < 0 ? -1 : digit_of(text[2 * i + 1]);

		if (low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return !text[(size_t)2 * TOKEN_DIGEST];
}

/* ---- a line ---- */

struct line {
	size_t number;
	char *at; /* what is left of it */
	struct token token;
	bool has_digest, has_expires;
	struct problem *why;
};

static int wrong(const struct line *l, const char *what)
{
	return problem_set(l->why, -EINVAL, "line %zu: %s", l->number, what);
}

/* The next word of the line, NUL-terminated; NULL at its end. */
static char *take_word(struct line *l)
{
	char *word = l->at + strspn(l->at, " \t");
	size_t size = strcspn(word, " \t");

	if (!size)
		return NULL;
	l->at = word + size + (word[size] != '\0');
	word[size] = '\0';
	return word;
}

static int take_list(struct line *l, const char *value, char **to, const char *twice,
		     const char *expected)
{
	if (*to)
		return wrong(l, twice);
	if (!token_list_ok(value))
		return wrong(l, expected);
	*to = strdup(value);
	return *to ? 0 : -ENOMEM;
}

static int take_expires(struct line *l, const char *value)
{
	if (l->has_expires)
		return wrong(l, "expires= stands twice");
	l->has_expires = true;
	if (!strcmp(value, "never"))
		return 0;
	if (when_parse(value, &l->token.expires) || !l->token.expires)
		return wrong(l, "expires= must be a time like 2027-02-21T10:00:00Z, or never");
	return 0;
}

static int take_digest(struct line *l, const char *value)
{
	if (l->has_digest)
		return wrong(l, "sha256= stands twice");
	l->has_digest = true;
	if (!digest_parse(value, l->token.digest))
		return wrong(l, "sha256= must be 64 digits 0-9a-f");
	return 0;
}

static int take_verbs(struct line *l, const char *value)
{
	if (l->token.verbs)
		return wrong(l, "verbs= stands twice");
	l->token.verbs = token_verbs_parse(value);
	if (!l->token.verbs)
		return wrong(l,
			     "verbs= must be some of read,write,feeds,admin with commas between, "
			     "or *");
	return 0;
}

/* The rest of the line, with blanks. */
static int take_subject(struct line *l, char *word)
{
	size_t size = strlen(word);

	if (!size)
		return wrong(l, "subject= is empty");
	if (l->at > word + size) /* what take_word() cut */
		word[size] = ' ';
	size = strlen(word);
	while (size && (word[size - 1] == ' ' || word[size - 1] == '\t'))
		size--;
	l->at += strlen(l->at);
	l->token.subject = strndup(word, size);
	return l->token.subject ? 0 : -ENOMEM;
}

static int take_setting(struct line *l, char *word)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	if (value && !strcmp(word, "verbs"))
		return take_verbs(l, value);
	if (value && !strcmp(word, "categories"))
		return take_list(l, value, &l->token.categories, "categories= stands twice",
				 "categories= must be names with commas between, or *");
	if (value && !strcmp(word, "feeds"))
		return take_list(l, value, &l->token.feeds, "feeds= stands twice",
				 "feeds= must be names with commas between, or *");
	if (value && !strcmp(word, "expires"))
		return take_expires(l, value);
	if (value && !strcmp(word, "sha256"))
		return take_digest(l, value);
	if (value && !strcmp(word, "subject"))
		return take_subject(l, value);
	return wrong(l, "after the name come verbs= categories= feeds= expires= and sha256= or "
			"subject=, no other");
}

/* "*" and what is left out are the same. */
static void drop_all(char **list)
{
	if (*list && !strcmp(*list, "*")) {
		free(*list);
		*list = NULL;
	}
}

static int finish(struct line *l)
{
	struct token *t = &l->token;

	if (!t->verbs)
		return wrong(l, "verbs= is missing");
	if (l->has_digest == (t->subject != NULL))
		return wrong(l, "one of sha256= and subject= is needed");
	drop_all(&t->categories);
	drop_all(&t->feeds);
	if ((t->categories || t->feeds) && t->verbs & VERBS_UNBOUND)
		return wrong(l,
			     "the verbs feeds and admin are about all categories and feeds: give "
			     "them to a token that is not bound to some");
	return 0;
}

static int parse_line(struct line *l)
{
	char *word = take_word(l);
	int err = 0;

	if (!token_name_ok(word))
		return wrong(l, "a name is 1 to 47 of A-Z a-z 0-9 . _ -");
	memcpy(l->token.name, word, strlen(word) + 1);
	while (!err && (word = take_word(l)))
		err = take_setting(l, word);
	return err ?: finish(l);
}

/* ---- the file ---- */

static int add(struct tokens *t, struct line *l)
{
	struct token *grown;

	for (size_t i = 0; i < t->count; i++) {
		const struct token *other = &t->token[i];

		if (!strcmp(other->name, l->token.name))
			return wrong(l, "another token has this name");
		if (other->subject && l->token.subject
			    ? !strcmp(other->subject, l->token.subject)
			    : !other->subject && !l->token.subject &&
				      !memcmp(other->digest, l->token.digest, TOKEN_DIGEST))
			return wrong(l, "another token has this secret or subject");
	}
	if (t->count == TOKENS_MAX)
		return wrong(l, "more than 1000 tokens");
	grown = reallocarray(t->token, t->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	t->token = grown;
	t->token[t->count++] = l->token;
	l->token = (struct token){};
	return 0;
}

static void line_free(struct line *l)
{
	token_free(&l->token);
}

static int take_line(struct tokens *t, size_t number, const char *start, size_t size,
		     struct problem *why)
{
	_cleanup_(line_free) struct line l = { .number = number, .why = why };
	char text[LINE_MAX_BYTES];
	int err;

	if (size && start[size - 1] == '\r')
		size--;
	if (size >= sizeof(text))
		return wrong(&l, "longer than 4095 bytes");
	for (size_t i = 0; i < size; i++)
		if (((unsigned char)start[i] < ' ' && start[i] != '\t') || start[i] == 0x7f)
			return wrong(&l, "has a control character");
	memcpy(text, start, size);
	text[size] = '\0';
	l.at = text + strspn(text, " \t");
	if (!*l.at || *l.at == '#')
		return 0;
	err = parse_line(&l);
	return err ?: add(t, &l);
}

int tokens_parse(const char *text, size_t size, struct tokens *ret, struct problem *why)
{
	_cleanup_(tokens_free) struct tokens t = {};
	const char *end = text + size;

	if (size > TOKENS_SIZE_MAX)
		return problem_set(why, -EINVAL, "larger than 1 MiB");
	for (size_t number = 1; text < end; number++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((stop ?: end) - text);
		int err = take_line(&t, number, text, length, why);

		if (err == -ENOMEM)
			return problem_set(why, err, "out of memory");
		if (err)
			return err;
		text += length + (stop != NULL);
	}
	*ret = t;
	t = (struct tokens){};
	return 0;
}

/* ---- who ---- */

const struct token *tokens_by_digest(const struct tokens *t,
				     const uint8_t digest[static TOKEN_DIGEST])
{
	const struct token *found = NULL;

	for (size_t i = 0; i < t->count; i++) {
		volatile uint8_t differ = 0; /* or a compiler may leave the loop early */

		for (size_t j = 0; j < TOKEN_DIGEST; j++)
			differ |= t->token[i].digest[j] ^ digest[j];
		if (!differ && !t->token[i].subject)
			found = &t->token[i];
	}
	return found;
}

const struct token *tokens_by_subject(const struct tokens *t, const char *subject)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->token[i].subject && !strcmp(t->token[i].subject, subject))
			return &t->token[i];
	return NULL;
}

const struct token *tokens_by_name(const struct tokens *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (!strcmp(t->token[i].name, name))
			return &t->token[i];
	return NULL;
}

const char *token_of_header(const char *authorization)
{
	size_t scheme = strlen(SCHEME);

	if (!authorization || strncasecmp(authorization, SCHEME, scheme) != 0)
		return NULL;
	authorization += scheme;
	if (*authorization != ' ')
		return NULL;
	authorization += strspn(authorization, " ");
	if (strncmp(authorization, TOKEN_PREFIX, strlen(TOKEN_PREFIX)) != 0 ||
	    strspn(authorization, SECRET_LETTERS) != TOKEN_SECRET)
		return NULL;
	return authorization[TOKEN_SECRET + strspn(authorization + TOKEN_SECRET, " \t")]
		       ? NULL
		       : authorization;
}

bool token_expired(const struct token *t, int64_t now)
{
	return t->expires && t->expires <= now;
}

bool token_may(const struct token *t, enum token_verb verb)
{
	return t->verbs >> verb & 1;
}

bool token_covers(const struct token *t, const char *category, const char *feed)
{
	if (t->categories && !(category && is_in(t->categories, category)))
		return false;
	return !t->feeds || (feed && is_in(t->feeds, feed));
}
