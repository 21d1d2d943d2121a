/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all listings of a feed carry: basis, region, review.
 */
#ifndef CORE_CONFIG_CLAIM_H
#define CORE_CONFIG_CLAIM_H

#include "core/config.h"
#include "core/config_setting.h"

#define CONFIG_BASIS_MAX 256 /* bytes */

/* Of the mapping of a feed; what is not there stays. On failure feed is to be freed as it is. */
int claim_read_settings(const struct setting_file *file, const struct setting *n,
			struct config_feed *feed);
void claim_free_settings(struct config_feed *feed);

#endif
