/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/region.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool region_word_ok(const char *text)
{
	size_t size = 0;

	for (; text[size]; size++)
		if (!is_letter(text[size]) || size + 1 >= REGION_WORD)
			return false;
	return size > 0;
}

static const char *skip_blanks(const char *at)
{
	while (is_blank(*at))
		at++;
	return at;
}

/* Takes a word and the comma behind it. 1, 0 at the end, or -EINVAL. */
static int next_word(const char **at, char ret[static REGION_WORD])
{
	const char *text = skip_blanks(*at);
	size_t size = 0;

	if (!*text)
		return 0;
	for (; is_letter(lower(*text)); text++, size++) {
		if (size + 1 >= REGION_WORD)
			return -EINVAL;
		ret[size] = lower(*text);
	}
	ret[size] = '\0';
	text = skip_blanks(text);
	if (!size || (*text && *text != ','))
		return -EINVAL;
	if (*text == ',' && !*skip_blanks(++text))
		return -EINVAL; /* a word is missing */
	*at = text;
	return 1;
}

int region_fits(const char *text, char (*word)[REGION_WORD], size_t words)
{
	char at_word[REGION_WORD];
	bool fits = false;
	size_t count = 0;
	int r;

	while ((r = text ? next_word(&text, at_word) : 0) > 0) {
		if (++count > REGION_WORDS)
			return -EINVAL;
		for (size_t i = 0; i < words && !fits; i++)
			fits = !strcmp(word[i], at_word);
	}
	return r < 0 ? r : fits || !count;
}

static int compare_words(const void *a, const void *b)
{
	return strcmp(a, b);
}

int region_canonical(const char *text, char ret[static REGION_TEXT])
{
	char word[REGION_WORDS][REGION_WORD];
	char joined[REGION_TEXT] = "";
	size_t count = 0, used = 0;
	int r = 1;

	while (text && r > 0) {
		char next[REGION_WORD];

		r = next_word(&text, next);
		if (r < 0 || (r && count == REGION_WORDS))
			return -EINVAL;
		if (r)
			memcpy(word[count++], next, sizeof(next));
	}
	if (count)
		qsort(word, count, sizeof(*word), compare_words);
	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(word[i]);

		if (i && !strcmp(word[i - 1], word[i]))
			continue;
		if (used + size + 2 > sizeof(joined))
			return -EINVAL;
		used += (size_t)snprintf(joined + used, sizeof(joined) - used, "%s%s",
					 used ? "," : "", word[i]);
	}
	memcpy(ret, joined, used + 1);
	return 0;
}
