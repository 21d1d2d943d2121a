/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's log: lines on standard error, with the journal's <N> priority
 * prefix when it is a journal stream, a plain word when it is a terminal.
 *
 *	log_warning("interface '%s': native XDP refused (%s), using generic", name, why.text);
 *
 * Text is: object 'name': what happened: why. No secrets, no addresses from
 * packets. core/ itself does not log above debug.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdarg.h>

#include "core/base.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level);
_printf_(2, 3) void log_at(enum log_level level, const char *fmt, ...);
_printf_(2, 0) void log_atv(enum log_level level, const char *fmt, va_list args);

#define log_error(...)	 log_at(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)	 log_at(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)	 log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	 log_at(LOG_DEBUG, __VA_ARGS__)

#endif
