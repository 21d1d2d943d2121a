/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/config_region.h"

int region_read_settings(const struct setting_file *file, const struct setting *n, struct config *c)
{
	int err = setting_expect_list(file, n, "[ eu, de ]");
	char shown[SETTING_SHOWN];

	if (err || !n->first)
		return err;
	if (setting_children(n) > REGION_WORDS)
		return setting_fail(file, n, "region: more than %d", REGION_WORDS);
	c->region = calloc(setting_children(n), sizeof(*c->region));
	if (!c->region)
		return problem_set(file->why, -ENOMEM, "out of memory");
	for (const struct setting *at = n->first; at; at = at->next) {
		const char *word;

		err = setting_text(file, at, &word);
		if (err)
			return err;
		if (!region_word_ok(word))
			return setting_fail(file, at,
					    "region: expected 1 to %d of a-z 0-9 -, not '%s'",
					    REGION_WORD - 1, setting_shown(word, shown));
		for (size_t i = 0; i < c->regions; i++)
			if (!strcmp(c->region[i], word))
				return setting_fail(file, at, "region '%s' is there twice", word);
		snprintf(c->region[c->regions++], REGION_WORD, "%s", word);
	}
	return 0;
}
