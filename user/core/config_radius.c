/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/config_radius.h"

#include "core/units.h"

#define DIGITS 4 /* behind the point of a percentage: millionths */

/* "0.5%", "12%", "0.0001%" in millionths: above 0, at most all. */
static int parse_share(const char *text, uint32_t *ret)
{
	char whole[8], part[DIGITS + 1] = "0000";
	size_t size = strlen(text), digits = strspn(text, "0123456789"), behind = 0;
	uint64_t number = 0, share;

	if (!digits || digits >= sizeof(whole) || size < 2 || text[size - 1] != '%')
		return -EINVAL;
	memcpy(whole, text, digits);
	whole[digits] = '\0';
	if (text[digits] == '.') {
		behind = strspn(text + digits + 1, "0123456789");
		if (!behind || behind > DIGITS)
			return -EINVAL;
		memcpy(part, text + digits + 1, behind);
		behind++;
	}
	if (digits + behind + 1 != size || units_number(whole, &number))
		return -EINVAL;
	share = number;
	for (size_t i = 0; i < DIGITS; i++)
		share = share * 10 + (uint64_t)(part[i] - '0');
	if (!share || share > 1000000)
		return -EINVAL;
	*ret = (uint32_t)share;
	return 0;
}

int radius_read_limits(const struct setting_file *file, const struct setting *n,
		       struct config_limits *limits)
{
	const struct setting *sources = setting_get(n, "radius_sources");
	const struct setting *budget = setting_get(n, "radius_budget");
	uint64_t number = limits->radius_sources;
	char shown[SETTING_SHOWN];
	const char *text;
	int err = 0;

	if (sources)
		err = setting_number(file, sources, 0, UINT32_MAX, false, &number);
	limits->radius_sources = (uint32_t)number;
	if (err || !budget)
		return err;
	err = setting_text(file, budget, &text);
	if (!err && parse_share(text, &limits->radius_budget))
		err = setting_fail(file, budget,
				   "%s: expected 0.0001%% to 100%%, such as 0.5%%, not '%s'",
				   budget->name, setting_shown(text, shown));
	return err;
}

int radius_read_sampling(const struct setting_file *file, const struct setting *n, struct config *c)
{
	static const char *const choices[] = { "off", "on" };
	unsigned int choice = 1;
	int err = setting_choice(file, n, choices, ARRAY_SIZE(choices), &choice);

	c->sampling = choice;
	return err;
}
