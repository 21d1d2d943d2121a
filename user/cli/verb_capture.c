/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture: sampled packets into a pcapng file, or straight into Wireshark.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/capture.h"
#include "cli/progress.h"
#include "cli/show.h"
#include "cli/stream.h"
#include "cli/verbs.h"
#include "core/emit.h"
#include "core/units.h"

#define NS_PER_S 1000000000LL

enum { CAPTURE_WRITE = SIGHTING_OPTIONS_END, CAPTURE_SIZE };

static const struct verb_option capture_options[] = {
	SIGHTING_OPTIONS,
	[CAPTURE_WRITE] = { 'w', "write", "FILE", "where to; '-': standard output" },
	[CAPTURE_SIZE] = { 0, "size", "BYTES", "end when the file has so many: 500k, 100m" },
};

struct session {
	struct cli *cli;
	struct capture *capture;
	struct progress progress;
	uint64_t packets_max, size_max;
	uint64_t told; /* sighting_lost() */
	int error;     /* of writing */
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static bool is_full(const struct session *s)
{
	return capture_packets(s->capture) >= s->packets_max ||
	       capture_size(s->capture) >= s->size_max;
}

static int take_event(void *arg, const char *line, const json_t *json)
{
	struct session *s = arg;
	struct sighting event;

	(void)line;
	if (s->error || is_full(s))
		return CLI_DONE;
	capture_lost(s->capture, sighting_lost(json, &s->told));
	if (sighting_read(json, &event))
		s->error = capture_packet(s->capture, &event);
	return CLI_DONE;
}

/* A packet that came is seen at once, also by who reads a pipe. */
static bool take_rest(void *arg)
{
	struct session *s = arg;
	char packets[SHOW_MAX], missing[SHOW_MAX];

	if (!s->error)
		s->error = capture_flush(s->capture);
	if (progress_due(&s->progress))
		progress_show(&s->progress, "captured %s, lost %s",
			      show_count((int64_t)capture_packets(s->capture), packets),
			      show_count((int64_t)capture_missing(s->capture), missing));
	return !s->error && !is_full(s);
}

/* Names every interface before the first packet: some readers want that. */
static int start_file(struct cli *cli, struct capture *capture, const char *only)
{
	_cleanup_(answer_free) struct answer answer = {};
	int code = client_get(cli, "GET", "/api/v1/status", NULL, &answer);
	json_t *interface;
	bool found = !only;
	int err;
	size_t i;

	if (code != CLI_DONE)
		return code;
	err = capture_start(capture, now_ns());
	json_array_foreach(json_object_get(answer.json, "interfaces"), i, interface) {
		const char *name = answer_text(interface, "name");

		if (only && strcmp(name, only) != 0)
			continue;
		found = true;
		if (!err)
			err = capture_interface(capture, name);
	}
	if (!found)
		return cli_fail(cli, CLI_USAGE, "--iface %s: moatd has no such interface", only);
	return err ? cli_fail(cli, CLI_REFUSED, "%s", strerror(-err)) : CLI_DONE;
}

static void show_end(const struct session *s, const char *file)
{
	struct text json = {};
	struct emit e = { .out = &json };
	int64_t packets = (int64_t)capture_packets(s->capture);
	int64_t missing = (int64_t)capture_missing(s->capture);
	char count[SHOW_MAX], lost[SHOW_MAX], size[SHOW_MAX];

	if (!s->cli->json) {
		fprintf(s->cli->err, "%s packet%s captured, %s lost; %s bytes\n",
			show_count(packets, count), packets == 1 ? "" : "s",
			show_count(missing, lost),
			show_count((int64_t)capture_size(s->capture), size));
		return;
	}
	emit_begin(&e, NULL, '{');
	emit_text(&e, "file", file);
	emit_whole(&e, "packets", packets);
	emit_whole(&e, "lost", missing);
	emit_whole(&e, "bytes", (int64_t)capture_size(s->capture));
	emit_end(&e, '}');
	fprintf(s->cli->out, "%s\n", json.failed ? "{}" : json.data);
	text_free(&json);
}

static int capture_to(struct cli *cli, const struct sighting_filter *filter, const char *iface,
		      uint64_t size_max, const char *file, int fd)
{
	_cleanup_(live_freep) struct live *live = NULL;
	_cleanup_(capture_freep) struct capture *capture = NULL;
	struct session s = { .cli = cli, .packets_max = filter->count, .size_max = size_max };
	struct stream stream = {
		.path = filter->path.data,
		.seconds = filter->seconds,
		.out = fd,
		.line = take_event,
		.rest = take_rest,
		.arg = &s,
	};
	int code = live_new(cli, LIVE_SIGNALS, &live);

	if (code != CLI_DONE)
		return code;
	capture = capture_new(fd, live);
	if (!capture)
		return cli_fail(cli, CLI_REFUSED, "out of memory");
	code = start_file(cli, capture, iface);
	if (code != CLI_DONE)
		return code;
	s.capture = capture;
	s.progress = progress_begin(cli);
	s.error = capture_flush(capture);
	if (!s.error)
		code = stream_run(cli, live, &stream);
	progress_end(&s.progress);
	if (!s.error)
		s.error = capture_finish(capture, now_ns());
	/* Who reads the pipe has seen enough, or we were told to stop. */
	if (s.error == -EPIPE || s.error == -EINTR)
		s.error = 0;
	if (s.error)
		code = cli_fail(cli, CLI_REFUSED, "%s: %s", file, strerror(-s.error));
	show_end(&s, file);
	return code;
}

static int run_capture(struct cli *cli, const struct call *call)
{
	_cleanup_(sighting_filter_free) struct sighting_filter filter = {};
	const char *file = call->value[CAPTURE_WRITE], *size = call->value[CAPTURE_SIZE];
	bool to_stdout = file && strcmp(file, "-") == 0;
	uint64_t size_max = UINT64_MAX;
	_cleanup_close_ int opened = -1;
	int code;

	if (!file)
		return cli_fail(cli, CLI_USAGE,
				"capture: -w FILE is missing; see 'moatctl capture --help'");
	if (size && units_count(size, &size_max))
		return cli_fail(cli, CLI_USAGE, "--size %s: bytes (500k, 100m) are expected", size);
	if (to_stdout && cli->json)
		return cli_fail(cli, CLI_USAGE, "-o json and -w - both want standard output");
	if (to_stdout && isatty(fileno(cli->out)))
		return cli_fail(cli, CLI_USAGE,
				"-w -: standard output is a terminal; try 'moatctl capture -w - | "
				"wireshark -k -i -'");
	code = sighting_filter_read(cli, call, true, &filter);
	if (code != CLI_DONE)
		return code;
	if (!to_stdout) {
		/* Packets are personal data: for nobody else. */
		opened = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC,
			      S_IRUSR | S_IWUSR);
		if (opened < 0)
			return cli_fail(cli, CLI_USAGE, "%s: %s", file, strerror(errno));
		if (isatty(opened))
			return cli_fail(cli, CLI_USAGE, "%s: is a terminal", file);
	}
	return capture_to(cli, &filter, call->value[SIGHTING_IFACE], size_max, file,
			  to_stdout ? fileno(cli->out) : opened);
}

const struct verb verb_capture = {
	.name = "capture",
	.args = "",
	.summary = "sampled packets as pcapng, for Wireshark, with the reason as comment",
	.details =
		"Until -n, --size, --for or ctrl-C ends it. Live: moatctl capture -w - | wireshark -k -i -\n"
		"The first 128 bytes of what is dropped, limited, tagged or monitored, and with --passes of\n"
		"the rest. Of a flood 'events' of the configuration says how many a second; what is missing\n"
		"stands before the next packet and in the statistics of the interface.",
	.options = capture_options,
	.option_count = ARRAY_SIZE(capture_options),
	.run = run_capture,
};
