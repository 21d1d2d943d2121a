/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration's part on who moatd runs as. Who uses it: config.c only.
 */
#ifndef CORE_CONFIG_USER_H
#define CORE_CONFIG_USER_H

#include "core/config.h"
#include "core/config_setting.h"

/* user: the name of an account, or none */
int user_read_settings(const struct setting_file *file, const struct setting *n, struct config *c);

#endif
