/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of GET /metrics on reports of abuse (api_reports.c takes them).
 */
#ifndef DAEMON_API_REPORTS_H
#define DAEMON_API_REPORTS_H

#include "core/text.h"
#include "daemon/daemon.h"

void reports_write_metrics(const struct daemon *d, struct text *out);

#endif
