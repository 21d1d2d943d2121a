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
	int err = setting_path(file, n, PATH_MAX - 1, &c->asn_table[c->asn_tables]);

	c->asn_tables += !err;
	return err;
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
