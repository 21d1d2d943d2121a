// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as an event, as if the kernel had written it: what is read of it
 * lies within its first bytes, its JSON is one whole object that a strict
 * reader takes, and an sFlow datagram holds what it says it does.
 */
#include "core/event.h"
#include "core/json_read.h"
#include "core/sflow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static int ignore(void *arg, const struct json_token *token)
{
	(void)arg;
	(void)token;
	return 0;
}

static void check_json(const char *text, size_t size)
{
	struct json_read r = { .fn = ignore, .text_max = EVENT_JSON_MAX };

	must(size == strlen(text) && size < EVENT_JSON_MAX);
	must(!json_read_push(&r, text, size) && !json_read_finish(&r));
	json_read_fini(&r);
}

static void check_sflow(const struct moat_event *e)
{
	struct sflow_agent agent = { .address = { .family = MOAT_IPV4, .len = 32 } };
	const struct sflow_discard discard = {
		.reason = sflow_reason(e->reason),
		.length = e->length,
		.head = e->head,
		.size = e->size,
	};
	struct sflow_datagram d;
	uint32_t samples = 0;

	sflow_begin(&d, &agent, 0);
	while (sflow_add(&d, &discard))
		samples++;
	sflow_end(&d);
	must(samples > 0 && d.samples == samples && d.size <= SFLOW_DATAGRAM && !(d.size % 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct event_names names = {
		.second = "2026-11-23T11:00:00Z",
		.micros = 999999,
		.iface = "eth0",
		.family = "ipv4",
		.protocol = "tcp",
		.verdict = "drop",
		.reason = "listed",
		.category = "botnet",
	};
	struct moat_event event = {};
	struct event_packet packet;
	char text[EVENT_JSON_MAX];

	memcpy(&event, data, size < sizeof(event) ? size : sizeof(event));
	event_parse(&event, &packet); /* must bear one that is not sound */
	if (!event_is_sound(&event))
		return 0;
	must(packet.known == EVENT_NOTHING || event.family != MOAT_OTHER);
	check_json(text, event_json(&event, &packet, &names, false, text));
	check_json(text, event_json(&event, &packet, &names, true, text));
	check_sflow(&event);
	return 0;
}
