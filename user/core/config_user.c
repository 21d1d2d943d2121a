/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/config_user.h"

#define USER_NAME_MAX 32 /* characters; useradd(8) */

/* What useradd(8) takes by default: whether there is such a user is found at start. */
static bool is_user_name(const char *name)
{
	size_t size = strlen(name);

	if (!size || size > USER_NAME_MAX || name[0] == '-')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
	       size;
}

int user_read_settings(const struct setting_file *file, const struct setting *n, struct config *c)
{
	char shown[SETTING_SHOWN];
	const char *name;
	int err = setting_text(file, n, &name);

	if (err)
		return err;
	if (!is_user_name(name))
		return setting_fail(file, n,
				    "user: expected the name of an account or none, not '%s'",
				    setting_shown(name, shown));
	if (strcmp(name, "none") != 0)
		return setting_keep(file, name, &c->user);
	free(c->user);
	c->user = NULL;
	return 0;
}
