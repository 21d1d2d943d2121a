/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/sflow.h"

#define VERSION	      5
#define ADDRESS_IP4   1
#define ADDRESS_IP6   2
#define SUB_AGENT     0
#define DISCARDED     5	      /* sample of enterprise 0 */
#define SOURCE_IF     0	      /* source_id is an ifIndex */
#define RAW_HEADER    1	      /* flow record of enterprise 0 */
#define ETHERNET      1	      /* header_protocol */
#define FCS	      4	      /* bytes that a frame has on the wire, and nobody sees */
#define SAMPLE_FIXED  (8 * 4) /* of a sample before its records, behind its length */
#define RECORD_FIXED  (4 * 4) /* of a raw header before its bytes, behind its length */
#define TYPE_AND_SIZE (2 * 4)

/* enum drop_reason of the memo. */
enum {
	DROP_UNKNOWN = 256,
	DROP_ACL = 258,
	DROP_TRAFFIC_SHAPING = 261,
	DROP_IP_HEADER_CORRUPTED = 275,
};

uint32_t sflow_reason(enum moat_reason reason)
{
	switch (reason) {
	case MOAT_LISTED:
		return DROP_ACL;
	case MOAT_LIMIT:
		return DROP_TRAFFIC_SHAPING;
	case MOAT_TRUNCATED:
	case MOAT_BAD_HEADER:
		return DROP_IP_HEADER_CORRUPTED;
	default:
		return DROP_UNKNOWN;
	}
}

static void put32(struct sflow_datagram *d, uint32_t value)
{
	uint8_t *at = d->data + d->size;

	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
	d->size += 4;
}

void sflow_begin(struct sflow_datagram *d, struct sflow_agent *agent, uint32_t uptime_ms)
{
	bool ip4 = agent->address.family == MOAT_IPV4;
	uint32_t size = ip4 ? 4 : 16;

	d->size = d->samples = 0;
	put32(d, VERSION);
	put32(d, ip4 ? ADDRESS_IP4 : ADDRESS_IP6);
	memcpy(d->data + d->size, agent->address.addr, size);
	d->size += size;
	put32(d, SUB_AGENT);
	put32(d, agent->sequence++);
	put32(d, uptime_ms);
	d->samples_at = d->size;
	put32(d, 0);
}

bool sflow_add(struct sflow_datagram *d, const struct sflow_discard *x)
{
	uint32_t size = x->size < MOAT_EVENT_HEAD ? x->size : MOAT_EVENT_HEAD;
	uint32_t padded = (size + 3) / 4 * 4;
	uint32_t record = RECORD_FIXED + padded;
	uint32_t sample = SAMPLE_FIXED + TYPE_AND_SIZE + record;

	if (TYPE_AND_SIZE + sample > SFLOW_DATAGRAM - d->size)
		return false;
	put32(d, DISCARDED);
	put32(d, sample);
	put32(d, x->sequence);
	put32(d, SOURCE_IF);
	put32(d, x->ifindex);
	put32(d, x->drops);
	put32(d, x->ifindex);
	put32(d, 0); /* it was to go to no interface yet */
	put32(d, x->reason);
	put32(d, 1); /* records */
	put32(d, RAW_HEADER);
	put32(d, record);
	put32(d, ETHERNET);
	put32(d, x->length + FCS);
	put32(d, FCS);
	put32(d, size);
	memcpy(d->data + d->size, x->head, size);
	memset(d->data + d->size + size, 0, padded - size);
	d->size += padded;
	d->samples++;
	return true;
}

void sflow_end(struct sflow_datagram *d)
{
	uint32_t size = d->size;

	d->size = d->samples_at;
	put32(d, d->samples);
	d->size = size;
}
