/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/replies.h"

#include "core/client_ports.h"
#include "core/log.h"

#define PORT_RANGE     "/proc/sys/net/ipv4/ip_local_port_range"
#define PORTS_RESERVED "/proc/sys/net/ipv4/ip_local_reserved_ports"
#define PORTS_MAX      (512 * 1024) /* bytes: 65,536 numbers and commas */

/* A file of one line. Owned by the caller; NULL if it cannot be read. */
static char *read_line(const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	_cleanup_free_ char *line = calloc(1, PORTS_MAX);

	if (!file || !line || !fgets(line, PORTS_MAX, file))
		return NULL;
	return take_ptr(line);
}

/* Of the network namespace that moatd runs in. */
static int read_clients(struct moat_ports *ret, struct problem *why)
{
	_cleanup_free_ char *range = read_line(PORT_RANGE);
	_cleanup_free_ char *reserved = read_line(PORTS_RESERVED);

	if (range && !client_ports_parse(range, reserved ?: "", ret))
		return 0;
	return problem_set(why, -EINVAL,
			   "%s cannot be read: answers to UDP are judged like any packet",
			   PORT_RANGE);
}

void replies_apply(struct daemon *d)
{
	uint32_t flows = d->config->replies ? d->config->flows : 0;
	struct moat_ports clients = {};
	struct problem why = {};

	if (flows)
		read_clients(&clients, &why);
	tables_set_flows(d->tables, flows, &clients, &why);
	if (*why.text && strcmp(why.text, d->replies_problem) != 0)
		log_warning("replies: %s", why.text);
	snprintf(d->replies_problem, sizeof(d->replies_problem), "%s", why.text);
}
