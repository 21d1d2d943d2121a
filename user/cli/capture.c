/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/capture.h"

#include <sys/utsname.h>

#include "core/pcapng.h"

#define BUFFER_MAX (256 * 1024) /* bytes before they must go */
#define KEPT	   0		/* the daemon says how many bytes of a packet it has */

/* What the program in the kernel returned for a verdict. */
enum { XDP_DROPPED = 1, XDP_PASSED = 2 };

struct seen {
	char *name; /* owned */
	uint64_t packets;
};

struct capture {
	int fd;
	const struct live *live;
	int64_t start_ns;

	struct seen interface[CAPTURE_INTERFACES];
	size_t interfaces;
	uint64_t packets, missing, size;
	uint64_t missing_now; /* since the last packet */

	size_t used;
	uint8_t block[PCAPNG_BLOCK_MAX];
	uint8_t buffer[BUFFER_MAX];
};

struct capture *capture_new(int fd, const struct live *live)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->fd = fd;
	c->live = live;
	return c;
}

struct capture *capture_free(struct capture *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; i < c->interfaces; i++)
		free(c->interface[i].name);
	free(c);
	return NULL;
}

int capture_flush(struct capture *c)
{
	size_t used = c->used;

	c->used = 0;
	return used ? live_write(c->live, c->fd, c->buffer, used) : 0;
}

/* c->block, of that size. */
static int add_block(struct capture *c, size_t size)
{
	int err = 0;

	if (size > BUFFER_MAX - c->used)
		err = capture_flush(c);
	if (err)
		return err;
	memcpy(c->buffer + c->used, c->block, size);
	c->used += size;
	c->size += size;
	return 0;
}

int capture_start(struct capture *c, int64_t now_ns)
{
	struct utsname host = {};
	char os[sizeof(host.sysname) + sizeof(host.release) + 2];
	struct pcapng_section section = { .os = os, .application = "moatctl " MOAT_VERSION };

	uname(&host);
	snprintf(os, sizeof(os), "%s %s", host.sysname, host.release);
	section.hardware = host.machine;
	c->start_ns = now_ns;
	return add_block(c, pcapng_section(c->block, &section));
}

/* The number of an interface, or negative errno. */
static int number_of(struct capture *c, const char *name)
{
	struct pcapng_interface interface = { .name = name,
					      .description = "XDP, where moat judges",
					      .link = PCAPNG_LINK_ETHERNET,
					      .most = KEPT };
	size_t number;
	int err;

	for (number = 0; number < c->interfaces; number++)
		if (strcmp(c->interface[number].name, name) == 0)
			return (int)number;
	if (number == CAPTURE_INTERFACES)
		return -ENOSPC;
	c->interface[number].name = strdup(name);
	if (!c->interface[number].name)
		return -ENOMEM;
	c->interfaces++;
	err = add_block(c, pcapng_interface(c->block, &interface));
	return err ? err : (int)number;
}

int capture_interface(struct capture *c, const char *name)
{
	int number = number_of(c, name);

	return number < 0 ? number : 0;
}

int capture_packet(struct capture *c, const struct sighting *event)
{
	bool dropped = strcmp(event->verdict, "drop") == 0;
	int number = number_of(c, event->iface);
	struct pcapng_packet packet = {
		.time_ns = event->time_ns,
		.bytes = event->bytes,
		.size = event->size,
		.length = event->length,
		.direction = PCAPNG_INBOUND,
		.dropped = c->missing_now,
		.xdp_verdict = dropped ? XDP_DROPPED : XDP_PASSED,
	};
	char note[PCAPNG_TEXT_MAX];
	int err;

	if (number < 0)
		return number;
	packet.interface = (uint32_t)number;
	snprintf(note, sizeof(note), "moat: %s, reason %s%s%s (%s)", event->verdict, event->reason,
		 *event->category ? ", category " : "", event->category,
		 sighting_reason_text(event->reason));
	packet.note = note;
	err = add_block(c, pcapng_packet(c->block, &packet));
	if (err)
		return err;
	c->missing_now = 0;
	c->interface[number].packets++;
	c->packets++;
	return 0;
}

void capture_lost(struct capture *c, uint64_t count)
{
	c->missing += count;
	c->missing_now += count;
}

int capture_finish(struct capture *c, int64_t now_ns)
{
	bool many = c->interfaces > 1 && c->missing;
	struct pcapng_statistics statistics;
	int err = 0;

	for (size_t i = 0; i < c->interfaces && !err; i++) {
		/* What is missing is counted for all interfaces together. */
		statistics = (struct pcapng_statistics){
			.interface = (uint32_t)i,
			.start_ns = c->start_ns,
			.end_ns = now_ns,
			.delivered = c->interface[i].packets,
			.dropped = i == 0 ? c->missing : 0,
			.note = i == 0 && many ? "dropped: of all interfaces" : NULL,
		};
		err = add_block(c, pcapng_statistics(c->block, &statistics));
	}
	return err ? err : capture_flush(c);
}

uint64_t capture_packets(const struct capture *c)
{
	return c->packets;
}

uint64_t capture_missing(const struct capture *c)
{
	return c->missing;
}

uint64_t capture_size(const struct capture *c)
{
	return c->size;
}
