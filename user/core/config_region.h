/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The regions that a host carries, from the configuration: region: [ eu, de ].
 */
#ifndef CORE_CONFIG_REGION_H
#define CORE_CONFIG_REGION_H

#include "core/config.h"
#include "core/config_setting.h"

/* Fills c->region and c->regions. */
int region_read_settings(const struct setting_file *file, const struct setting *n,
			 struct config *c);

#endif
