/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration's part on who may ask over TCP, and how much: tokens, tls
 * and http. Who uses it: config.c only.
 */
#ifndef CORE_CONFIG_HTTP_H
#define CORE_CONFIG_HTTP_H

#include "core/config.h"
#include "core/config_setting.h"

/* False: out of memory. */
bool http_default_settings(struct config *c);

/* tokens: /etc/moat/tokens, or none */
int http_read_tokens(const struct setting_file *file, const struct setting *n, struct config *c);

/* tls: { certificate: /etc/moat/tls.crt, key: /etc/moat/tls.key, client_ca: /etc/moat/clients.crt } */
int http_read_tls(const struct setting_file *file, const struct setting *n, struct config *c);

/* http: { connections: 256, per_address: 32, rate: 500, insecure: false } */
int http_read_limits(const struct setting_file *file, const struct setting *n, struct config *c);

void http_free_settings(struct config *c);

#endif
