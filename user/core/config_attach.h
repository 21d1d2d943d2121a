/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration's part on how the filter comes to its interfaces: alone,
 * or beside other XDP programs. Who uses it: config.c only.
 */
#ifndef CORE_CONFIG_ATTACH_H
#define CORE_CONFIG_ATTACH_H

#include "core/config.h"
#include "core/config_setting.h"

/* attach: { chain: none | libxdp, priority: 10 } */
int attach_read_settings(const struct setting_file *file, const struct setting *n,
			 struct config *c);

/* What needs all of the file: not with user. */
int attach_check_user(const struct setting_file *file, const struct setting *root,
		      const struct config *c);

#endif
