/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guard of the blast radius (core/radius.h) and the sampling that feeds it,
 * as the configuration has them. Who uses it: config.c and config_feeds.c.
 */
#ifndef CORE_CONFIG_RADIUS_H
#define CORE_CONFIG_RADIUS_H

#include "core/config.h"
#include "core/config_setting.h"

#define CONFIG_RADIUS_SOURCES 1000 /* unless guards, or the feed, say otherwise */
#define CONFIG_RADIUS_BUDGET  5000 /* likewise, in millionths: 0.5% */

/* radius_sources and radius_budget of a mapping, where they are there. */
int radius_read_limits(const struct setting_file *file, const struct setting *n,
		       struct config_limits *limits);

/* sampling: on | off */
int radius_read_sampling(const struct setting_file *file, const struct setting *n,
			 struct config *c);

#endif
