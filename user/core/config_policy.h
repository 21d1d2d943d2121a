/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The categories of the configuration: from keys as people write them to the
 * policy as the kernel reads it. Who uses it: config.c only.
 */
#ifndef CORE_CONFIG_POLICY_H
#define CORE_CONFIG_POLICY_H

#include "core/config.h"
#include "core/config_setting.h"

/* Fills c->category and c->categories; on failure c is to be freed as it is. */
int policy_read_categories(const struct setting_file *file, const struct setting *n,
			   struct config *c);

#endif
