/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/config_claim.h"

#include "core/region.h"
#include "core/units.h"

static int read_basis(const struct setting_file *file, const struct setting *n,
		      struct config_feed *feed)
{
	const char *text;
	int err = setting_text(file, n, &text);

	if (err)
		return err;
	if (!*text || strlen(text) > CONFIG_BASIS_MAX)
		return setting_fail(file, n, "basis: expected 1 to %d bytes of text",
				    CONFIG_BASIS_MAX);
	return setting_keep(file, text, &feed->basis);
}

static int read_region(const struct setting_file *file, const struct setting *n,
		       struct config_feed *feed)
{
	char list[REGION_TEXT] = "", canonical[REGION_TEXT], shown[SETTING_SHOWN];
	int err = setting_expect_list(file, n, "[ eu, de ]");

	for (const struct setting *at = err ? NULL : n->first; at && !err; at = at->next) {
		size_t used = strlen(list);
		const char *word;

		err = setting_text(file, at, &word);
		if (!err && !region_word_ok(word))
			return setting_fail(file, at,
					    "region: expected words of a-z 0-9 -, not '%s'",
					    setting_shown(word, shown));
		if (!err && used + strlen(word) + 2 > sizeof(list))
			return setting_fail(file, at, "region: the list is too long");
		if (!err)
			snprintf(list + used, sizeof(list) - used, "%s%s", used ? "," : "", word);
	}
	if (!err && !*list)
		return setting_fail(file, n,
				    "region: the list is empty: leave it out for everywhere");
	if (!err && region_canonical(list, canonical))
		return setting_fail(file, n, "region: more than %d words", REGION_WORDS);
	return err ?: setting_keep(file, canonical, &feed->region);
}

static int read_review(const struct setting_file *file, const struct setting *n,
		       struct config_feed *feed)
{
	char shown[SETTING_SHOWN];
	const char *text;
	int err = setting_text(file, n, &text);

	if (!err && units_duration(text, &feed->review))
		err = setting_fail(file, n, "review: expected a duration (90d, 26w), not '%s'",
				   setting_shown(text, shown));
	return err;
}

int claim_read_settings(const struct setting_file *file, const struct setting *n,
			struct config_feed *feed)
{
	const struct setting *basis = setting_get(n, "basis");
	const struct setting *region = setting_get(n, "region");
	const struct setting *review = setting_get(n, "review");
	int err = basis ? read_basis(file, basis, feed) : 0;

	if (!err && region)
		err = read_region(file, region, feed);
	if (!err && review)
		err = read_review(file, review, feed);
	return err;
}

void claim_free_settings(struct config_feed *feed)
{
	free(feed->basis);
	free(feed->region);
}
