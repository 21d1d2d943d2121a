// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as what a child says that lies, in pieces of any size: only rows
 * that are good reach the daemon, done() is called once, and a job is good only
 * if its end counts the rows that came. The child itself is not started (the
 * linker puts the functions below in its place).
 *
 * The first byte chooses whether the rest is the whole stream, or changes bytes
 * of an honest one: three a change, two for the place and one for the byte.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "daemon/feeder.h"
#include "daemon/feeder_spawn.h"

#define CHILD	   0x7ffffff0 /* no process has this number */
#define ROWS	   3
#define PIPE_BYTES (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
typeof(feeder_spawn) __wrap_feeder_spawn;
int __wrap_kill(pid_t pid, int sig);
int __real_kill(pid_t pid, int sig);
pid_t __wrap_waitpid(pid_t pid, int *status, int options);
pid_t __real_waitpid(pid_t pid, int *status, int options);

static struct {
	struct loop *loop;
	const uint8_t *bytes;
	size_t size;
	uint64_t rows;
	unsigned int ends;
	bool killed;
} run;

static void must(bool good)
{
	if (!good)
		abort();
}

int __wrap_feeder_spawn(const struct feeder_order *order, const struct feeder_job *job, int input,
			int keep, pid_t *ret_pid, int *ret_out, struct problem *why)
{
	int ends[2];

	(void)order;
	(void)job;
	(void)input;
	(void)keep;
	(void)why;
	must(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
	must(fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES) > 0);
	must(write(ends[1], run.bytes, run.size) == (ssize_t)run.size);
	close(ends[1]);
	*ret_pid = CHILD;
	*ret_out = ends[0];
	return 0;
}

int __wrap_kill(pid_t pid, int sig)
{
	return pid == CHILD ? 0 : __real_kill(pid, sig);
}

pid_t __wrap_waitpid(pid_t pid, int *status, int options)
{
	if (pid != CHILD)
		return __real_waitpid(pid, status, options);
	*status = 0;
	return pid;
}

static bool is_clean(const char *text, size_t room)
{
	if (!memchr(text, '\0', room))
		return false;
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static int on_rows(void *arg, const struct feed_row *row, size_t count)
{
	(void)arg;
	must(count >= 1 && count <= FEEDER_BATCH && !run.ends);
	for (size_t i = 0; i < count; i++) {
		struct prefix masked = row[i].source;

		must(row[i].kind <= FEED_ROW_ASN);
		must(row[i].source.family == MOAT_IPV4 || row[i].source.family == MOAT_IPV6);
		must(row[i].source.len <= prefix_max(row[i].source.family));
		prefix_mask(&masked);
		must(!prefix_compare(&masked, &row[i].source));
		must(is_clean(row[i].category, sizeof(row[i].category)));
		must(is_clean(row[i].reference, sizeof(row[i].reference)));
		must(is_clean(row[i].reason, sizeof(row[i].reason)));
		must(row[i].confidence <= 100 || row[i].confidence == FEED_NO_CONFIDENCE);
	}
	run.rows += count;
	return 0;
}

static void on_done(void *arg, const struct feeder_result *result)
{
	(void)arg;
	run.ends++;
	must(is_clean(result->etag, sizeof(result->etag)));
	must(is_clean(result->why.text, sizeof(result->why.text)));
	must(result->ok || *result->why.text);
	if (result->ok && !result->not_modified) {
		must(result->summary.entries == run.rows);
		must((unsigned int)result->summary.fault < FEED_FAULT_MAX);
		must((unsigned int)result->summary.format < FEED_FORMAT_MAX);
		must(is_clean(result->summary.detail, sizeof(result->summary.detail)));
	}
	if (result->not_modified)
		must(result->ok && !run.rows);
	loop_stop(run.loop);
}

/* Three rows and their end. Returns its size. */
static size_t honest(uint8_t *to)
{
	struct feeder_frame frame = { FEEDER_FRAME_MAGIC, FEEDER_ROWS, ROWS };
	struct feed_row row[ROWS] = {};
	struct feeder_end end = { .ok = 1, .http_status = 200, .modified = 1700000000 };
	size_t size = 0;

	for (size_t i = 0; i < ROWS; i++) {
		must(!prefix_parse(i == 1 ? "2001:db8::/32" : "192.0.2.1", &row[i].source));
		snprintf(row[i].category, sizeof(row[i].category), "spam");
		snprintf(row[i].reference, sizeof(row[i].reference), "SBL%zu", i);
		row[i].confidence = FEED_NO_CONFIDENCE;
		row[i].line = (uint32_t)i + 1;
	}
	snprintf(end.etag, sizeof(end.etag), "\"1\"");
	end.summary.entries = ROWS;
	memcpy(to, &frame, sizeof(frame));
	size += sizeof(frame);
	memcpy(to + size, row, sizeof(row));
	size += sizeof(row);
	frame.kind = FEEDER_END;
	frame.count = 1;
	memcpy(to + size, &frame, sizeof(frame));
	size += sizeof(frame);
	memcpy(to + size, &end, sizeof(end));
	return size + sizeof(end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t stream[2 * FEEDER_FRAME_MAX];
	const struct feeder_job job = { .url = "https://feed.example/list", .fd = -1 };
	struct feeder *feeder = NULL;
	struct problem why = {};

	if (!size || size > PIPE_BYTES / 2)
		return 0;
	memset(&run, 0, sizeof(run));
	run.bytes = data + 1;
	run.size = size - 1;
	if (data[0] & 1) {
		run.size = honest(stream);
		for (size_t i = 1; i + 2 < size; i += 3)
			stream[(data[i] | data[i + 1] << 8) % run.size] = data[i + 2];
		if (data[0] & 2) /* cut */
			run.size = run.size * (data[0] >> 2) / 64;
		run.bytes = stream;
	}
	must(loop_new(&run.loop) == 0);
	must(feeder_start(run.loop, &job, on_rows, on_done, NULL, &feeder, &why) == 0);
	must(loop_run(run.loop) == 0 && run.ends == 1);
	loop_free(run.loop);
	return 0;
}
