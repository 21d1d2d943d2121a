/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration's part on hits of listed sources. Who uses it: config.c only.
 */
#ifndef CORE_CONFIG_HITS_H
#define CORE_CONFIG_HITS_H

#include "core/config.h"
#include "core/config_setting.h"

/* hits: of how many sources they are noted; 0: of none */
int hits_read_settings(const struct setting_file *file, const struct setting *n, struct config *c);

#endif
