/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * asn_table of the configuration: one path of a prefix-to-AS table, or a list
 * of them. Who uses it: config.c only.
 */
#ifndef CORE_CONFIG_ASN_H
#define CORE_CONFIG_ASN_H

#include "core/config.h"
#include "core/config_setting.h"

/* Fills c->asn_table; on failure c is to be freed as it is. */
int asn_read_settings(const struct setting_file *file, const struct setting *n, struct config *c);
void asn_free_settings(struct config *c);

#endif
