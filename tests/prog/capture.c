/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/capture.h"

#include <sys/mman.h>

#include <pcap/pcap.h>
#include <zlib.h>

#include "core/base.h"

#define ETHERNET 14
#define SLL	 16 /* Linux cooked header */
#define PPP_IP	 0x0021
#define PPP_IP6	 0x0057

static void must(bool good, const char *path, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "%s: %s\n", path, what);
	abort();
}

/* The unpacked file, at its beginning. */
static FILE *unpack(const char *path)
{
	gzFile packed = gzopen(path, "rb"); /* reads what is not packed as it is */
	int fd = memfd_create("capture", MFD_CLOEXEC);
	uint8_t buffer[65536];
	FILE *file;
	int got;

	must(packed && fd >= 0, path, "cannot open");
	while ((got = gzread(packed, buffer, sizeof(buffer))) > 0)
		must(write(fd, buffer, got) == got, path, "cannot unpack");
	must(got == 0, path, "cannot unpack");
	gzclose(packed);
	file = fdopen(fd, "rb");
	must(file, path, "cannot open");
	rewind(file);
	return file;
}

/* How many bytes to take off, and the EtherType to put before the rest; 0: it is Ethernet. */
static size_t strip(int link, const uint8_t *packet, size_t size, unsigned int *type)
{
	size_t header = 0;

	switch (link) {
	case DLT_EN10MB:
		*type = 0;
		return 0;
	case DLT_LINUX_SLL:
		*type = size >= SLL ? packet[SLL - 2] << 8 | packet[SLL - 1] : 0xffff;
		return size < SLL ? size : SLL;
	case DLT_PPP:
		header = size >= 2 && packet[0] == 0xff && packet[1] == 0x03 ? 2 : 0;
		*type = size >= header + 2 ? packet[header] << 8 | packet[header + 1] : 0;
		*type = *type == PPP_IP ? 0x0800 : *type == PPP_IP6 ? 0x86dd : 0xffff;
		return size < header + 2 ? size : header + 2;
	case DLT_IPV6:
		*type = 0x86dd;
		return 0;
	default: /* raw IP */
		*type = size && packet[0] >> 4 == 6 ? 0x86dd : 0x0800;
		return 0;
	}
}

static void add_frame(struct capture *c, int link, const uint8_t *packet, size_t size)
{
	unsigned int type;
	size_t off = strip(link, packet, size, &type);
	size_t header = type ? ETHERNET : 0;
	struct capture_frame *frame;

	c->frame = reallocarray(c->frame, c->frames + 1, sizeof(*c->frame));
	must(c->frame, "capture", "memory");
	frame = &c->frame[c->frames++];
	frame->size = header + size - off;
	frame->bytes = calloc(1, frame->size ?: 1);
	must(frame->bytes, "capture", "memory");
	if (type) {
		frame->bytes[12] = type >> 8;
		frame->bytes[13] = type;
	}
	memcpy(frame->bytes + header, packet + off, size - off);
}

struct capture *capture_read(const char *path)
{
	struct capture *c = calloc(1, sizeof(*c));
	char why[PCAP_ERRBUF_SIZE] = "";
	struct pcap_pkthdr *header;
	const uint8_t *packet;
	pcap_t *pcap;
	int got;

	must(c, path, "memory");
	pcap = pcap_fopen_offline(unpack(path), why); /* closes the file with itself */
	must(pcap, path, why);
	while ((got = pcap_next_ex(pcap, &header, &packet)) == 1)
		add_frame(c, pcap_datalink(pcap), packet, header->caplen);
	must(got == PCAP_ERROR_BREAK, path, pcap_geterr(pcap));
	pcap_close(pcap);
	return c;
}

struct capture *capture_free(struct capture *c)
{
	for (size_t i = 0; c && i < c->frames; i++)
		free(c->frame[i].bytes);
	if (c)
		free(c->frame);
	free(c);
	return NULL;
}
