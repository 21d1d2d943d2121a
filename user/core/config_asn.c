/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/config_asn.h"

#include <linux/limits.h>

void asn_free_settings(struct config *c)
{
	for (size_t i = 0; i < c->asn_tables; i++)
		free(c->asn_table[i]);
	c->asn_tables = 0;
}

static int read_path(const struct setting_file *file, const struct setting *n, struct config *c)
{
	char shown[SETTING_SHOWN];
	const char *path;
	int err = setting_text(file, n, &path);

	if (err)
		return err;
	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return setting_fail(file, n, "asn_table: expected an absolute path, not '%s'",
				    setting_shown(path, shown));
	c->asn_table[c->asn_tables] = strdup(path);
	if (!c->asn_table[c->asn_tables])
		return problem_set(file->why, -ENOMEM, "out of memory");
	c->asn_tables++;
	return 0;
}

int asn_read_settings(const struct setting_file *file, const struct setting *n, struct config *c)
{
	int err = 0;

	if (n->type == SETTING_TEXT)
		return read_path(file, n, c);
	err = setting_expect_list(file, n, "[ /var/lib/moat/GeoLite2-ASN.mmdb ]");
	if (!err && setting_children(n) > ASN_TABLES_MAX)
		err = setting_fail(file, n, "asn_table: more than %d", ASN_TABLES_MAX);
	for (const struct setting *at = err ? NULL : n->first; at && !err; at = at->next)
		err = read_path(file, at, c);
	return err;
}
