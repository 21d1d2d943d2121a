/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/config_replies.h"

int replies_read_settings(const struct setting_file *file, const struct setting *n,
			  struct config *c)
{
	static const char *const choices[] = { "judge", "pass" };
	unsigned int choice;
	int err = setting_choice(file, n, choices, ARRAY_SIZE(choices), &choice);

	if (!err)
		c->replies = choice;
	return err;
}

int replies_read_flows(const struct setting_file *file, const struct setting *n, struct config *c)
{
	uint64_t value;
	int err = setting_number(file, n, CONFIG_FLOWS_MIN, CONFIG_FLOWS_MAX, false, &value);

	if (!err)
		c->flows = (uint32_t)value;
	return err;
}
