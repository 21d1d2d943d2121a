/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/config_hits.h"

int hits_read_settings(const struct setting_file *file, const struct setting *n, struct config *c)
{
	uint64_t value;
	int err = setting_number(file, n, 0, CONFIG_HITS_MAX, false, &value);

	if (!err && value && value < CONFIG_HITS_MIN)
		err = setting_fail(file, n, "hits: expected 0 (none), or %d to %d", CONFIG_HITS_MIN,
				   CONFIG_HITS_MAX);
	if (!err)
		c->hits = (uint32_t)value;
	return err;
}
