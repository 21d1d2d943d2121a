/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration's part on answers to what this host opened: replies and
 * flows. Who uses it: config.c only.
 */
#ifndef CORE_CONFIG_REPLIES_H
#define CORE_CONFIG_REPLIES_H

#include "core/config.h"
#include "core/config_setting.h"

/* replies: judge | pass */
int replies_read_settings(const struct setting_file *file, const struct setting *n,
			  struct config *c);

/* flows: how many opened flows are remembered */
int replies_read_flows(const struct setting_file *file, const struct setting *n, struct config *c);

#endif
