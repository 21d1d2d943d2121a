/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/frame.h"

#include <arpa/inet.h>
#include <linux/icmp.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

/* RFC 1071. */
static uint16_t checksum(const void *data, size_t size)
{
	const uint8_t *byte = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)(byte[i] << 8 | byte[i + 1]);
	sum = (sum & 0xFFFF) + (sum >> 16);
	sum = (sum & 0xFFFF) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static uint32_t frame_transport(uint8_t *at, uint8_t protocol, uint16_t port)
{
	uint16_t ports[2] = { htons(40000), htons(port) };

	memset(at, 0, sizeof(struct tcphdr));
	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
		at[0] = (uint8_t)port;
	else
		memcpy(at, ports, sizeof(ports));
	return sizeof(struct tcphdr);
}

static uint32_t frame_make4(uint8_t *at, const struct prefix *source, uint8_t protocol,
			    uint16_t port)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = protocol };
	uint32_t size = frame_transport(at + sizeof(ip), protocol, port);

	ip.tot_len = htons((uint16_t)(sizeof(ip) + size));
	memcpy(&ip.saddr, source->addr, 4);
	inet_pton(AF_INET, "192.0.2.1", &ip.daddr);
	ip.check = checksum(&ip, sizeof(ip));
	memcpy(at, &ip, sizeof(ip));
	return (uint32_t)sizeof(ip) + size;
}

static uint32_t frame_make6(uint8_t *at, const struct prefix *source, uint8_t protocol,
			    uint16_t port)
{
	struct ipv6hdr ip = { .version = 6, .hop_limit = 64, .nexthdr = protocol };
	uint32_t size = frame_transport(at + sizeof(ip), protocol, port);

	ip.payload_len = htons((uint16_t)size);
	memcpy(&ip.saddr, source->addr, 16);
	inet_pton(AF_INET6, "2001:db8::1", &ip.daddr);
	memcpy(at, &ip, sizeof(ip));
	return (uint32_t)sizeof(ip) + size;
}

uint32_t frame_make(uint8_t frame[static FRAME_ROOM], const struct prefix *source, uint8_t protocol,
		    uint16_t port)
{
	bool v4 = source->family == MOAT_IPV4;
	struct ethhdr eth = { .h_dest = { 2, 0, 0, 0, 0, 1 },
			      .h_source = { 2, 0, 0, 0, 0, 2 },
			      .h_proto = htons(v4 ? ETH_P_IP : ETH_P_IPV6) };

	memcpy(frame, &eth, sizeof(eth));
	return (uint32_t)sizeof(eth) +
	       (v4 ? frame_make4(frame + sizeof(eth), source, protocol, port)
		   : frame_make6(frame + sizeof(eth), source, protocol, port));
}
