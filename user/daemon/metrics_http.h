/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of GET /metrics about the HTTP server: who is connected, who was
 * refused, tokens and the certificate.
 */
#ifndef DAEMON_METRICS_HTTP_H
#define DAEMON_METRICS_HTTP_H

#include "core/text.h"
#include "daemon/daemon.h"

void metrics_http_write(struct daemon *d, struct text *out);

#endif
