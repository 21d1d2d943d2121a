/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/protocols.h"

#include "core/units.h"

#define PROTOCOL_ICMP	1
#define PROTOCOL_ICMPV6 58
#define PORTS		65536

static const struct {
	const char *name;
	uint8_t number; /* IANA */
} protocols[] = {
	{ "tcp", 6 },	 { "udp", 17 },	 { "icmp", PROTOCOL_ICMP }, { "icmpv6", PROTOCOL_ICMPV6 },
	{ "sctp", 132 }, { "dccp", 33 }, { "udplite", 136 },	    { "gre", 47 },
	{ "esp", 50 },	 { "ah", 51 },
};

int protocol_parse(const char *text, uint8_t *ret)
{
	uint64_t number;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (strcmp(protocols[i].name, text) == 0) {
			*ret = protocols[i].number;
			return 0;
		}
	}
	if (units_number(text, &number) || number > UINT8_MAX)
		return -EINVAL;
	*ret = (uint8_t)number;
	return 0;
}

const char *protocol_format(uint8_t protocol, char buf[static 16])
{
	snprintf(buf, 16, "%u", protocol);
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == protocol)
			snprintf(buf, 16, "%s", protocols[i].name);
	return buf;
}

static bool has_protocol(const struct moat_policy *policy, unsigned int protocol)
{
	return policy->protocols[protocol / 64] >> (protocol % 64) & 1;
}

static bool has_port(const struct moat_ports *ports, unsigned int port)
{
	return ports->set[port / 64] >> (port % 64) & 1;
}

static void write_ports(const struct moat_ports *ports, const char *word, struct text *out)
{
	const char *separator = " ";
	unsigned int last;

	text_add(out, " %s", word);
	for (unsigned int port = 0; port < PORTS; port = last + 1) {
		last = port;
		if (!has_port(ports, port))
			continue;
		while (last + 1 < PORTS && has_port(ports, last + 1))
			last++;
		text_add(out, last == port ? "%s%u" : "%s%u-%u", separator, port, last);
		separator = ", ";
	}
}

void scope_write(const struct config_category *category, struct text *out)
{
	const struct moat_policy *policy = &category->policy;
	bool icmp = has_protocol(policy, PROTOCOL_ICMP);
	const char *separator = "";
	char name[16];

	if (!(policy->flags & MOAT_POLICY_PROTOCOLS)) {
		text_add(out, "any protocol");
	} else {
		for (unsigned int p = 0; p <= UINT8_MAX; p++) {
			/* Both ICMPs are one to the configuration. */
			if (!has_protocol(policy, p) || (p == PROTOCOL_ICMPV6 && icmp))
				continue;
			text_add(out, "%s%s", separator, protocol_format((uint8_t)p, name));
			separator = ", ";
		}
	}
	if ((policy->flags & MOAT_POLICY_PORTS) && category->ports)
		write_ports(category->ports, icmp ? "types" : "ports", out);
}
