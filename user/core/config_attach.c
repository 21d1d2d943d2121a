/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/config_attach.h"

#define PRIORITY_MAX 65535

int attach_read_settings(const struct setting_file *file, const struct setting *n, struct config *c)
{
	static const char *const keys[] = { "chain", "priority" };
	static const char *const chains[] = { "none", "libxdp" };
	const struct setting *chain = setting_get(n, "chain");
	const struct setting *priority = setting_get(n, "priority");
	uint64_t value = c->attach.priority;
	unsigned int choice = c->attach.chain;
	int err = setting_expect_mapping(file, n, "{ chain: libxdp, priority: 10 }");

	if (!err)
		err = setting_check_keys(file, n, "attach", keys, ARRAY_SIZE(keys));
	if (!err && chain)
		err = setting_choice(file, chain, chains, ARRAY_SIZE(chains), &choice);
	if (!err && priority)
		err = setting_number(file, priority, 1, PRIORITY_MAX, false, &value);
	if (!err)
		c->attach = (struct config_attach){ .chain = choice, .priority = (uint32_t)value };
	return err;
}

int attach_check_user(const struct setting_file *file, const struct setting *root,
		      const struct config *c)
{
	if (!c->attach.chain || !c->user)
		return 0;
	return setting_fail(file, setting_get(root, "attach"),
			    "attach: chain: libxdp takes root all the time (CAP_SYS_ADMIN, to see the "
			    "other programs): take 'user' out, or 'attach'");
}

uint32_t config_chain(const struct config *c)
{
	return c->attach.chain ? c->attach.priority : 0;
}

bool config_marks(const struct config *c)
{
	for (size_t i = 0; i < c->categories; i++)
		if (c->category[i].policy.flags & MOAT_POLICY_MARK)
			return true;
	return false;
}
