/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which local ports the kernel gives to clients, from its own words:
 * net.ipv4.ip_local_port_range (for IPv6 as well) without
 * net.ipv4.ip_local_reserved_ports. ip-sysctl of the kernel's documentation.
 */
#ifndef CORE_CLIENT_PORTS_H
#define CORE_CLIENT_PORTS_H

#include "core/base.h"
#include "moat/policy.h"

/*
 * range: "32768 60999". reserved: "", "8080,9148-9150". White space around
 * numbers, as the kernel prints it, is skipped. 0, or -EINVAL.
 */
int client_ports_parse(const char *range, const char *reserved, struct moat_ports *ret);

#endif
