/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * traffic: sends described or captured frames on an interface, and counts
 * what arrives on one. For tests, demo and benchmarks; see usage_text.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <net/ethernet.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "traffic_wire.h"

#define SOURCES_GIVEN 1048576 /* addresses a list may have */
#define LINE_LENGTH   256
#define EXIT_USAGE    2
#define FOREVER	      1e9 /* seconds */

static const char usage_text[] =
	"usage: traffic send -i IFACE SOURCE... [--to ADDRESS] [options]\n"
	"       traffic send -i IFACE --pcap FILE [--to-mac MAC] [--count N] [--rate PPS]\n"
	"       traffic recv -i IFACE [--from PREFIX] [--proto N] [--vlan ID] [--expect N] [--seconds N]\n"
	"\n"
	"send, from the sources in turn (SOURCE: an address, or @FILE with one a line):\n"
	"  --to ADDRESS       destination; once for each family\n"
	"  --to-mac MAC, --from-mac MAC\n"
	"  --count N          frames in all; 0: until SIGTERM (default 1)\n"
	"  --rate PPS         frames a second; 0: as fast as it goes (default)\n"
	"  --proto P          tcp, udp, icmp, icmp6 or a number (default udp)\n"
	"  --sport N, --dport N (for ICMP --dport is the type)\n"
	"  --vlan ID, --qinq ID   a tag of 802.1Q or 802.1ad; outermost first\n"
	"  --dscp N           0..63\n"
	"  --ip-options N     32-bit words of IPv4 options\n"
	"  --ext LIST         IPv6 extension headers by name: hop,routing,fragment,ah,dst\n"
	"  --fragment first|later\n"
	"  --payload N        bytes behind the transport header\n"
	"  --cut N            the frame ends after N bytes\n"
	"prints: sent N in SECONDS s, N skipped\n"
	"\n"
	"recv prints what came by source, DSCP and VLAN; exit 1 if less than --expect.\n";

struct options {
	const char *iface, *pcap;
	struct frame_spec spec;
	struct address *source; /* owned */
	size_t sources;
	uint64_t count, rate, expect;
	double seconds;
	struct wire_filter filter;
};

static _Noreturn void fail(const char *what, const char *text)
{
	fprintf(stderr, "traffic: %s '%s'\n", what, text);
	exit(EXIT_USAGE);
}

static uint64_t parse_number(const char *text, uint64_t max)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || value > max)
		fail("not a number or too large:", text);
	return value;
}

static void parse_mac(const char *text, uint8_t ret[static 6])
{
	int end = 0;

	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &ret[0], &ret[1], &ret[2],
		   &ret[3], &ret[4], &ret[5], &end) != 6 ||
	    text[end])
		fail("not a MAC address:", text);
}

struct name {
	const char *text;
	uint8_t number;
};

static const struct name protocol_names[] = { { "icmp", 1 },
					      { "tcp", 6 },
					      { "udp", 17 },
					      { "icmp6", 58 },
					      { NULL, 0 } };
static const struct name ext_names[] = { { "hop", 0 }, { "routing", 43 }, { "fragment", 44 },
					 { "ah", 51 }, { "dst", 60 },	  { NULL, 0 } };

static uint8_t parse_name(const struct name *names, const char *text)
{
	for (; names->text; names++)
		if (!strcmp(names->text, text))
			return names->number;
	return parse_number(text, 255);
}

static void parse_exts(struct frame_spec *spec, char *list)
{
	char *rest = NULL;

	for (char *word = strtok_r(list, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		if (spec->exts == FRAME_EXTS - 1)
			fail("too many extension headers at", word);
		spec->ext[spec->exts++] = parse_name(ext_names, word);
	}
}

static void parse_tag(struct frame_spec *spec, uint16_t type, const char *text)
{
	if (spec->tags == FRAME_VLANS)
		fail("too many tags at", text);
	spec->tag[spec->tags++] = (struct frame_tag){ type, parse_number(text, 0xFFF) };
}

static struct address parse_address(const char *text)
{
	struct address a;

	if (address_parse(text, &a))
		fail("not an address:", text);
	return a;
}

static void parse_net(struct wire_filter *f, char *text)
{
	char *slash = strchr(text, '/');

	if (slash)
		*slash = '\0';
	f->net = parse_address(text);
	f->bits = f->net.v6 ? 128 : 32;
	if (slash)
		f->bits = parse_number(slash + 1, f->bits);
	f->by_source = true;
}

static void add_source(struct options *o, const char *text)
{
	if (o->sources == SOURCES_GIVEN)
		fail("too many sources at", text);
	if (!(o->sources & (o->sources - 1))) { /* grows at powers of two */
		size_t room = o->sources ? o->sources * 2 : 1;
		struct address *grown = realloc(o->source, room * sizeof(*grown));

		if (!grown)
			fail("no memory at", text);
		o->source = grown;
	}
	o->source[o->sources++] = parse_address(text);
}

static void add_sources(struct options *o, const char *text)
{
	_cleanup_fclose_ FILE *file = NULL;
	char line[LINE_LENGTH];

	if (*text != '@') {
		add_source(o, text);
		return;
	}
	file = fopen(text + 1, "re");
	if (!file)
		fail("cannot read", text + 1);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, " \t\r\n#;")] = '\0';
		if (*line)
			add_source(o, line);
	}
}

enum option_id {
	OPTION_TO = 1,
	OPTION_TO_MAC,
	OPTION_FROM_MAC,
	OPTION_COUNT,
	OPTION_RATE,
	OPTION_PROTO,
	OPTION_SPORT,
	OPTION_DPORT,
	OPTION_VLAN,
	OPTION_QINQ,
	OPTION_DSCP,
	OPTION_IP_OPTIONS,
	OPTION_EXT,
	OPTION_FRAGMENT,
	OPTION_PAYLOAD,
	OPTION_CUT,
	OPTION_PCAP,
	OPTION_FROM,
	OPTION_EXPECT,
	OPTION_SECONDS,
};

static const struct option long_options[] = {
	{ "to", required_argument, NULL, OPTION_TO },
	{ "to-mac", required_argument, NULL, OPTION_TO_MAC },
	{ "from-mac", required_argument, NULL, OPTION_FROM_MAC },
	{ "count", required_argument, NULL, OPTION_COUNT },
	{ "rate", required_argument, NULL, OPTION_RATE },
	{ "proto", required_argument, NULL, OPTION_PROTO },
	{ "sport", required_argument, NULL, OPTION_SPORT },
	{ "dport", required_argument, NULL, OPTION_DPORT },
	{ "vlan", required_argument, NULL, OPTION_VLAN },
	{ "qinq", required_argument, NULL, OPTION_QINQ },
	{ "dscp", required_argument, NULL, OPTION_DSCP },
	{ "ip-options", required_argument, NULL, OPTION_IP_OPTIONS },
	{ "ext", required_argument, NULL, OPTION_EXT },
	{ "fragment", required_argument, NULL, OPTION_FRAGMENT },
	{ "payload", required_argument, NULL, OPTION_PAYLOAD },
	{ "cut", required_argument, NULL, OPTION_CUT },
	{ "pcap", required_argument, NULL, OPTION_PCAP },
	{ "from", required_argument, NULL, OPTION_FROM },
	{ "expect", required_argument, NULL, OPTION_EXPECT },
	{ "seconds", required_argument, NULL, OPTION_SECONDS },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* What the frames to send look like. Returns false if the option is not about that. */
static bool take_frame_option(struct frame_spec *spec, int option, char *value)
{
	struct address to;

	switch (option) {
	case OPTION_TO:
		to = parse_address(value);
		*(to.v6 ? &spec->to6 : &spec->to4) = to;
		return true;
	case OPTION_TO_MAC:
		parse_mac(value, spec->to_mac);
		return true;
	case OPTION_FROM_MAC:
		parse_mac(value, spec->from_mac);
		return true;
	case OPTION_SPORT:
		spec->from_port = parse_number(value, 0xFFFF);
		return true;
	case OPTION_DPORT:
		spec->to_port = parse_number(value, 0xFFFF);
		return true;
	case OPTION_QINQ:
		parse_tag(spec, 0x88A8, value);
		return true;
	case OPTION_DSCP:
		spec->dscp = parse_number(value, 63);
		return true;
	case OPTION_IP_OPTIONS:
		spec->options = parse_number(value, FRAME_OPTIONS);
		return true;
	case OPTION_EXT:
		parse_exts(spec, value);
		return true;
	case OPTION_FRAGMENT:
		if (strcmp(value, "first") != 0 && strcmp(value, "later") != 0)
			fail("not first or later:", value);
		spec->fragment = *value == 'f' ? FRAME_FIRST : FRAME_LATER;
		return true;
	case OPTION_PAYLOAD:
		spec->payload = parse_number(value, FRAME_PAYLOAD);
		return true;
	case OPTION_CUT:
		spec->cut = parse_number(value, FRAME_ROOM);
		return true;
	}
	return false;
}

static void take_option(struct options *o, int option, char *value)
{
	switch (option) {
	case 'i':
		o->iface = value;
		return;
	case OPTION_COUNT:
		o->count = parse_number(value, UINT64_MAX);
		return;
	case OPTION_RATE:
		o->rate = parse_number(value, 100000000);
		return;
	case OPTION_PROTO:
		o->spec.protocol = o->filter.protocol = parse_name(protocol_names, value);
		o->filter.by_protocol = true;
		return;
	case OPTION_VLAN:
		parse_tag(&o->spec, 0x8100, value);
		o->filter.vlan = parse_number(value, 0xFFF);
		o->filter.by_vlan = true;
		return;
	case OPTION_PCAP:
		o->pcap = value;
		return;
	case OPTION_FROM:
		parse_net(&o->filter, value);
		return;
	case OPTION_EXPECT:
		o->expect = parse_number(value, UINT64_MAX);
		return;
	case OPTION_SECONDS:
		o->seconds = parse_number(value, FOREVER);
		return;
	case 'h':
		fputs(usage_text, stdout);
		exit(0);
	}
	if (!take_frame_option(&o->spec, option, value)) {
		fputs(usage_text, stderr);
		exit(EXIT_USAGE);
	}
}

/* ---- where frames come from ---- */

struct supply {
	const struct options *options;
	pcap_t *capture; /* NULL: frames are built */
	uint64_t given;
	uint8_t frame[WIRE_BATCH][FRAME_ROOM];
};

static const uint8_t *next_built(void *arg, size_t *ret_size)
{
	struct supply *s = arg;
	const struct options *o = s->options;
	uint8_t *frame = s->frame[s->given % WIRE_BATCH];

	if (o->count && s->given == o->count)
		return NULL;
	*ret_size = frame_build(&o->spec, &o->source[s->given % o->sources], frame);
	s->given++;
	return frame;
}

/* A captured frame, with the destination MAC of the interface it goes to. */
static const uint8_t *next_captured(void *arg, size_t *ret_size)
{
	static const uint8_t none[6];
	struct supply *s = arg;
	uint8_t *frame = s->frame[s->given % WIRE_BATCH];
	struct pcap_pkthdr *header;
	const uint8_t *data;

	if (s->options->count > 1 && s->given == s->options->count)
		return NULL;
	do {
		if (pcap_next_ex(s->capture, &header, &data) != 1)
			return NULL;
	} while (header->caplen < sizeof(struct ether_header) || header->caplen > FRAME_ROOM);
	memcpy(frame, data, header->caplen);
	if (memcmp(s->options->spec.to_mac, none, sizeof(none)) != 0)
		memcpy(frame, s->options->spec.to_mac, sizeof(none));
	*ret_size = header->caplen;
	s->given++;
	return frame;
}

static int run_send(const struct options *o)
{
	_cleanup_free_ struct supply *supply = calloc(1, sizeof(*supply));
	char problem[PCAP_ERRBUF_SIZE];
	struct wire_sent sent;
	int err;

	if (!supply)
		return -ENOMEM;
	supply->options = o;
	if (!o->pcap && !o->sources)
		fail("no source given for", o->iface);
	if (o->pcap) {
		supply->capture = pcap_open_offline(o->pcap, problem);
		if (!supply->capture)
			fail("cannot read capture:", problem);
		if (pcap_datalink(supply->capture) != DLT_EN10MB)
			fail("not a capture of Ethernet:", o->pcap);
	}
	err = wire_send(o->iface, o->rate, o->pcap ? next_captured : next_built, supply, &sent);
	if (supply->capture)
		pcap_close(supply->capture);
	if (err)
		return err;
	printf("sent %" PRIu64 " in %.6f s, %" PRIu64 " skipped\n", sent.frames, sent.seconds,
	       sent.skipped);
	return 0;
}

static void on_signal(int number)
{
	(void)number;
	wire_stop = 1;
}

int main(int argc, char **argv)
{
	struct options o = { .count = 1, .seconds = FOREVER, .spec.protocol = 17 };
	struct sigaction action = { .sa_handler = on_signal };
	bool receive;
	int option, err;

	if (argc < 2 || (strcmp(argv[1], "send") != 0 && strcmp(argv[1], "recv") != 0)) {
		fputs(usage_text, argc == 2 && !strcmp(argv[1], "--help") ? stdout : stderr);
		return argc == 2 && !strcmp(argv[1], "--help") ? 0 : EXIT_USAGE;
	}
	receive = argv[1][0] == 'r';
	optind = 2;
	while ((option = getopt_long(argc, argv, "i:h", long_options, NULL)) != -1)
		take_option(&o, option, optarg);
	for (; optind < argc; optind++)
		add_sources(&o, argv[optind]);
	if (!o.iface)
		fail("no interface: use", "-i IFACE");
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);

	if (receive)
		err = wire_receive(o.iface, &o.filter, o.expect, o.seconds);
	else
		err = run_send(&o);
	free(o.source);
	if (err >= 0)
		return err;
	fprintf(stderr, "traffic: interface '%s': %s\n", o.iface, strerror(-err));
	return EXIT_USAGE;
}
