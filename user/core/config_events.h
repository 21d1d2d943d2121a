/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration's part on events. Who uses it: config.c only.
 */
#ifndef CORE_CONFIG_EVENTS_H
#define CORE_CONFIG_EVENTS_H

#include "core/config.h"
#include "core/config_setting.h"

void events_default_settings(struct config_events *e);

/* events: { rate: 10000, log: /var/log/moat/events.jsonl, sflow: { collector: 192.0.2.1:6343 } } */
int events_read_settings(const struct setting_file *file, const struct setting *n,
			 struct config *c);

void events_free_settings(struct config_events *e);

#endif
