/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What only a feed of format crowdsec says. Who uses it: config_feeds.c, after
 * it has read url, format, categories and types.
 *
 * Its defaults differ from those of a list: it is asked every ten seconds,
 * and without types the decisions that count are ban and those that
 * categories maps.
 */
#ifndef CORE_CONFIG_CROWDSEC_H
#define CORE_CONFIG_CROWDSEC_H

#include "core/config.h"
#include "core/config_setting.h"

#define CONFIG_CROWDSEC_KEYS                                                                       \
	"api_key_file", "origins", "scenarios_containing", "scenarios_not_containing",             \
		"usage_metrics"

#define CROWDSEC_EVERY	   10	     /* seconds, unless the feed says otherwise */
#define CROWDSEC_USAGE	   (30 * 60) /* likewise */
#define CROWDSEC_USAGE_MIN 10
#define CROWDSEC_TYPES_MAX 256	/* bytes of a list of types */
#define CROWDSEC_WORDS_MAX 1024 /* bytes of a list of origins or scenarios */

/* Fills feed->crowdsec, and feed->every and feed->types where they have the defaults of a stream. */
int config_crowdsec_read(const struct setting_file *file, const struct setting *n,
			 struct config_feed *feed);
void config_crowdsec_free(struct config_crowdsec *c);

#endif
