/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many independent feeds a category asks for (k_of), and whose word counts
 * how (group and trusted of a feed, the section manual). Who uses it:
 * config.c, config_policy.c and config_feeds.c only.
 */
#ifndef CORE_CONFIG_QUORUM_H
#define CORE_CONFIG_QUORUM_H

#include "core/config.h"
#include "core/config_setting.h"

/* k_of of a category whose policy is read. */
int quorum_read_category(const struct setting_file *file, const struct setting *n,
			 struct config_category *category);

/* group and trusted of a feed. */
int quorum_read_feed(const struct setting_file *file, const struct setting *n,
		     struct config_feed *feed);

/* The section manual. */
int quorum_read_manual(const struct setting_file *file, const struct setting *n, struct config *c);

/*
 * Whether there are numbers enough: a category that feeds in mode monitor name,
 * or that has a k_of, takes a second one for what only counts. n is the root.
 */
int quorum_check_numbers(const struct setting_file *file, const struct setting *n,
			 const struct config *c);

#endif
