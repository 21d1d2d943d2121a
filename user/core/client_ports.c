/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/client_ports.h"

#include <ctype.h>

/* Reads a port at *at and goes behind it. */
static bool take_port(const char **at, unsigned int *ret)
{
	unsigned int port = 0;

	while (isspace((unsigned char)**at))
		(*at)++;
	if (!isdigit((unsigned char)**at))
		return false;
	for (; isdigit((unsigned char)**at); (*at)++) {
		port = port * 10 + (unsigned int)(**at - '0');
		if (port > UINT16_MAX)
			return false;
	}
	*ret = port;
	return true;
}

static bool at_end(const char *at)
{
	while (isspace((unsigned char)*at))
		at++;
	return !*at;
}

static void set_ports(struct moat_ports *ports, unsigned int first, unsigned int last, bool value)
{
	for (unsigned int port = first; port <= last; port++) {
		uint64_t bit = 1ULL << (port % 64);

		if (value)
			ports->set[port / 64] |= bit;
		else
			ports->set[port / 64] &= ~bit;
	}
}

int client_ports_parse(const char *range, const char *reserved, struct moat_ports *ret)
{
	struct moat_ports ports = {};
	unsigned int first, last;

	if (!take_port(&range, &first) || !take_port(&range, &last) || !at_end(range) ||
	    first > last)
		return -EINVAL;
	set_ports(&ports, first, last, true);
	while (!at_end(reserved)) {
		if (!take_port(&reserved, &first))
			return -EINVAL;
		last = first;
		if (*reserved == '-') {
			reserved++;
			if (!take_port(&reserved, &last) || first > last)
				return -EINVAL;
		}
		set_ports(&ports, first, last, false);
		if (*reserved == ',')
			reserved++;
		else if (!at_end(reserved))
			return -EINVAL;
	}
	*ret = ports;
	return 0;
}
