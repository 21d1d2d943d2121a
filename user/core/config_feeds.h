/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The feeds of the configuration, and the guards that hold for them. Who uses
 * it: config.c only, which reads the section feeds after all others, because
 * it names categories and takes over guards.
 */
#ifndef CORE_CONFIG_FEEDS_H
#define CORE_CONFIG_FEEDS_H

#include "core/config.h"
#include "core/config_setting.h"

#define FEED_EVERY   (12 * 3600) /* unless the feed says otherwise */
#define FEED_TTL     (3 * 86400) /* likewise */
#define FEED_URL_MAX 2048	 /* bytes */

/* Fills c->feed and c->feeds; on failure c is to be freed as it is. */
int feeds_read_settings(const struct setting_file *file, const struct setting *n, struct config *c);
void feeds_free_settings(struct config *c);

/* max_shrink and max_growth of a mapping, where they are there. */
int feeds_read_limits(const struct setting_file *file, const struct setting *n,
		      struct config_limits *limits);

/* "50%": a whole number from 1 to max. */
int feeds_read_percent(const struct setting_file *file, const struct setting *n, uint32_t max,
		       uint32_t *ret);

#endif
