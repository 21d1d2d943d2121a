/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feeder_hide.h"

#include "daemon/feeder_fetch_private.h"

/* As much of a word as stands there, from its first bytes on. */
static void hide_word(char *text, const char *word, size_t size)
{
	if (size < HIDE_LEAST)
		return;
	for (char *at = text; (at = memmem(at, strlen(at), word, HIDE_LEAST));) {
		size_t same = HIDE_LEAST;

		while (same < size && at[same] == word[same])
			same++;
		memset(at, '*', same);
		at += same;
	}
}

static void hide_words(char *text, const char *words, size_t size, const char *separators)
{
	while (size) {
		size_t word = 0;

		while (word < size && !strchr(separators, words[word]))
			word++;
		hide_word(text, words, word);
		word += word < size;
		words += word;
		size -= word;
	}
}

static void hide_url(char *text, const char *url)
{
	const char *start = strstr(url, "://"), *user, *query;

	if (!start)
		return;
	start += strlen("://");
	user = memchr(start, '@', strcspn(start, "/?#"));
	if (user)
		hide_words(text, start, (size_t)(user - start), ":");
	query = strchr(start, '?');
	if (query)
		hide_words(text, query + 1, strlen(query + 1), "&=#");
}

void fetch_hide(const struct fetch *f, char *text)
{
	for (const struct curl_slist *s = f->secrets; s; s = s->next) {
		const char *value = strchr(s->data, ':');

		if (value)
			hide_words(text, value, strlen(value), ": \t,;=\"");
	}
	hide_url(text, f->order->url);
	if (f->url)
		hide_url(text, f->url);
}
