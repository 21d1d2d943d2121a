/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A child that crashes, hangs or lies, and what it could do if it wanted to.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "daemon/feeder_sandbox.h"
#include "tests/unit/feeder_lab.h"

/* ---- in the child ---- */

static void out(const void *bytes, size_t size)
{
	if (write(FEEDER_FD_OUT, bytes, size) != (ssize_t)size)
		_exit(1);
}

static struct feed_row good_row(void)
{
	return (struct feed_row){
		.source = { .family = MOAT_IPV4, .len = 24, .addr = { 198, 51, 100 } },
		.confidence = FEED_NO_CONFIDENCE,
		.line = 1,
		.reason = "seen \xc3\xa9",
	};
}

static struct feeder_end good_end(uint64_t rows)
{
	return (struct feeder_end){
		.ok = 1,
		.http_status = 200,
		.summary = { .format = FEED_PLAIN, .entries = rows, .lines = rows },
	};
}

static void out_row(const struct feed_row *row)
{
	const struct feeder_frame frame = { FEEDER_FRAME_MAGIC, FEEDER_ROWS, 1 };

	out(&frame, sizeof(frame));
	out(row, sizeof(*row));
}

static void out_end(const struct feeder_end *end)
{
	const struct feeder_frame frame = { FEEDER_FRAME_MAGIC, FEEDER_END, 1 };

	out(&frame, sizeof(frame));
	out(end, sizeof(*end));
}

static void be_honest(void)
{
	const struct feed_row row = good_row();
	const struct feeder_end end = good_end(1);

	out_row(&row);
	out_end(&end);
}

/* One field of an otherwise good row is a lie. */
static void lie_in_row(int field)
{
	struct feed_row row = good_row();
	const struct feeder_end end = good_end(1);

	switch (field) {
	case 0:
		row.source.addr[3] = 1; /* a host bit */
		break;
	case 1:
		row.source.len = 33;
		break;
	case 2:
		row.source.family = 2;
		break;
	case 3:
		row.source.addr[15] = 1; /* behind an IPv4 address */
		break;
	case 4:
		row.source = (struct prefix){ .family = MOAT_IPV4 }; /* everything */
		break;
	case 5:
		memset(row.reason, 'x', sizeof(row.reason)); /* without end */
		break;
	case 6:
		memcpy(row.category, "bot\x1b[2Jnet", 10);
		break;
	case 7:
		memcpy(row.reference, "\xff\xfe", 3);
		break;
	case 8:
		row.confidence = 101;
		break;
	case 9:
		row.kind = FEED_ROW_ASN + 1;
		break;
	case 10:
		row.kind = FEED_ROW_ASN; /* without a number */
		break;
	case 11:
		row.expires = -1;
		break;
	case 12:
		memcpy(row.reason, "\xe2\x80\xae turned", 11);
		break;
	default:
		_exit(1);
	}
	out_row(&row);
	out_end(&end);
}

static void lie_in_end(int field)
{
	const struct feed_row row = good_row();
	struct feeder_end end = good_end(1);

	switch (field) {
	case 0:
		end.summary.entries = 2;
		break;
	case 1:
		end.summary.format = (enum feed_format)FEED_FORMAT_MAX;
		break;
	case 2:
		end.summary.fault = (enum feed_fault)FEED_FAULT_MAX;
		break;
	case 3:
		memset(end.summary.title, 'x', sizeof(end.summary.title));
		break;
	case 4:
		memset(&end.summary.complete, 7, 1);
		break;
	case 5:
		end.ok = 2;
		break;
	case 6:
		end.not_modified = 1; /* but there was a row */
		break;
	case 7:
		end.http_status = 500;
		break;
	case 8:
		end.retry_after = INT64_MAX;
		break;
	case 9:
		memcpy(end.etag, "a\r\nX: y", 8);
		break;
	case 10:
		end.ok = 0; /* and says no reason */
		break;
	case 11:
		memset(end.why, 'x', sizeof(end.why));
		break;
	case 12:
		end.modified = -5;
		break;
	default:
		_exit(1);
	}
	out_row(&row);
	out_end(&end);
}

static void enter_sandbox(void)
{
	struct problem why = {};

	if (sandbox_enter(getppid(), 0, &why) < 0)
		_exit(9);
}

/* What a taken over child might try; being honest afterwards must not be reached. */
static void misbehave(const char *what)
{
	char *const argv[] = { (char[]){ "true" }, NULL };

	enter_sandbox();
	if (!strcmp(what, "exec"))
		execv("/bin/true", argv);
	else if (!strcmp(what, "fork"))
		fork();
	else if (!strncmp(what, "write:", 6))
		open(what + 6, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	else if (!strcmp(what, "signal"))
		kill(getppid(), 0);
	else if (!strcmp(what, "listen"))
		listen(FEEDER_FD_INPUT, 1);
	else if (!strcmp(what, "packet"))
		socket(AF_PACKET, SOCK_RAW, 0);
	else if (!strcmp(what, "raw"))
		socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	else
		_exit(1);
	be_honest();
	_exit(0);
}

static void be_greedy(void)
{
	size_t size = SANDBOX_MEMORY + (1 << 20);

	enter_sandbox();
	if (mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	    MAP_FAILED)
		raise(SIGABRT);
	be_honest();
	_exit(0);
}

static void be_garbage(void)
{
	static char noise[65536];

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)(i * 37 + 11);
	out(noise, sizeof(noise));
	pause();
}

static void crash(void)
{
	const struct feed_row row = good_row();

	out_row(&row);
	signal(SIGSEGV, SIG_DFL);
	kill(getpid(), SIGSEGV);
}

static void send_half(void)
{
	const struct feeder_frame frame = { FEEDER_FRAME_MAGIC, FEEDER_ROWS, 2 };
	const struct feed_row row = good_row();

	out(&frame, sizeof(frame));
	out(&row, sizeof(row));
}

static void send_headless(uint16_t magic, uint16_t kind, uint32_t count)
{
	const struct feeder_frame frame = { magic, kind, count };

	out(&frame, sizeof(frame));
	pause();
}

static void go_on(void)
{
	const struct feed_row row = good_row();

	be_honest();
	out_row(&row);
}

/* Only the needed descriptors, and nothing of the environment but what is meant to be. */
static void look_around(void)
{
	int left = 0;

	for (int fd = FEEDER_FD_MAX; fd < 1024; fd++)
		left += fcntl(fd, F_GETFD) >= 0;
	if (left || getenv("MOAT_TEST_SECRET") || !getenv("no_proxy"))
		_exit(1);
	be_honest();
}

static void fake(const char *name)
{
	const struct feeder_end end = good_end(0);

	if (!strcmp(name, "honest"))
		be_honest();
	else if (!strncmp(name, "row", 3))
		lie_in_row((int)strtol(name + 3, NULL, 10));
	else if (!strncmp(name, "end", 3))
		lie_in_end((int)strtol(name + 3, NULL, 10));
	else if (!strncmp(name, "try-", 4))
		misbehave(name + 4);
	else if (!strcmp(name, "greedy"))
		be_greedy();
	else if (!strcmp(name, "garbage"))
		be_garbage();
	else if (!strcmp(name, "crash"))
		crash();
	else if (!strcmp(name, "half"))
		send_half();
	else if (!strcmp(name, "many"))
		send_headless(FEEDER_FRAME_MAGIC, FEEDER_ROWS, FEEDER_BATCH + 1);
	else if (!strcmp(name, "none"))
		send_headless(FEEDER_FRAME_MAGIC, FEEDER_ROWS, 0);
	else if (!strcmp(name, "two-ends"))
		send_headless(FEEDER_FRAME_MAGIC, FEEDER_END, 2);
	else if (!strcmp(name, "go-on"))
		go_on();
	else if (!strcmp(name, "look"))
		look_around();
	else if (!strcmp(name, "hang"))
		pause();
	else if (!strcmp(name, "status"))
		be_honest(), _exit(1);
	else if (!strcmp(name, "closed"))
		be_honest(), close(FEEDER_FD_OUT), pause();
	else if (!strcmp(name, "empty"))
		out_end(&end);
}

/* ---- in the test ---- */

static const struct feeder_result *run_fake(void **state, const char *name)
{
	struct feeder_lab *lab = *state;
	struct feeder_job job = { .fd = -1, .deadline_ms = 20000 };
	char url[200];

	snprintf(url, sizeof(url), "fake:%s", name);
	job.url = url;
	if (!strcmp(name, "hang"))
		job.deadline_ms = 200;
	return lab_run(lab, &job);
}

static void assert_refused(void **state, const char *name, const char *words)
{
	const struct feeder_result *r = run_fake(state, name);

	if (r->ok)
		fail_msg("%s is believed", name);
	if (!strstr(r->why.text, words))
		fail_msg("%s: '%s' does not say '%s'", name, r->why.text, words);
	assert_int_equal(r->summary.entries, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nothing is left of it */
}

static void an_honest_child_is_believed(void **state)
{
	struct feeder_lab *lab = *state;
	const struct feeder_result *r = run_fake(state, "honest");

	assert_true(r->ok);
	assert_int_equal(lab->rows, 1);
	assert_string_equal(lab_source(lab, 0), "198.51.100.0/24");
	assert_true(run_fake(state, "empty")->ok);
}

static void a_child_that_crashes_is_a_failed_job(void **state)
{
	assert_refused(state, "crash", "signal 11");
	assert_refused(state, "half", "without a result");
}

static void a_child_that_hangs_ends_at_the_deadline(void **state)
{
	assert_refused(state, "hang", "not done within 0.200 s");
}

static void garbage_on_the_pipe_is_a_failed_job(void **state)
{
	assert_refused(state, "garbage", "no frame");
	assert_refused(state, "many", "no frame");
	assert_refused(state, "none", "no frame");
	assert_refused(state, "two-ends", "no frame");
}

static void a_row_that_lies_is_never_handed_on(void **state)
{
	struct feeder_lab *lab = *state;

	for (int i = 0; i <= 12; i++) {
		char name[16];

		snprintf(name, sizeof(name), "row%d", i);
		assert_refused(state, name, "a row with a bad");
		assert_int_equal(lab->rows, 0);
	}
}

static void an_end_that_lies_is_a_failed_job(void **state)
{
	for (int i = 0; i <= 12; i++) {
		char name[16];

		snprintf(name, sizeof(name), "end%d", i);
		assert_refused(state, name, "an end with a bad");
	}
}

static void an_end_must_be_the_end(void **state)
{
	assert_refused(state, "go-on", "went on after its end");
	assert_refused(state, "status", "without a result (status 1)");
	assert_refused(state, "closed", "signal 9");
}

static void what_the_sandbox_forbids_kills_the_child(void **state)
{
	static const char *const tries[] = { "exec", "fork", "signal", "listen", "packet", "raw" };
	struct feeder_lab *lab = *state;
	char name[160];

	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		snprintf(name, sizeof(name), "try-%s", tries[i]);
		assert_refused(state, name, "sandbox forbids");
	}
	snprintf(name, sizeof(name), "try-write:%s", lab_path(lab, "must-not-be"));
	assert_refused(state, name, "sandbox forbids");
	assert_false(lab_has(lab, "must-not-be"));
}

static void memory_is_bounded(void **state)
{
	assert_refused(state, "greedy", "signal 6");
}

static void a_child_inherits_nothing_that_it_does_not_need(void **state)
{
	int extra = fcntl(STDERR_FILENO, F_DUPFD, 100); /* without O_CLOEXEC */

	assert_true(extra >= 100);
	setenv("MOAT_TEST_SECRET", "x", 1);
	setenv("no_proxy", "127.0.0.1", 1);
	assert_true(run_fake(state, "look")->ok);
	unsetenv("MOAT_TEST_SECRET");
	close(extra);
}

/* ---- cancelling ---- */

static void a_job_is_cancelled_by_its_rows(void **state)
{
	struct feeder_lab *lab = *state;

	lab->answer = -1;
	assert_refused(state, "honest", "cancelled");
	lab->answer = -E2BIG;
	assert_refused(state, "honest", "more entries than a feed may have");
	lab->answer = -ENOMEM;
	assert_refused(state, "honest", "out of memory");
}

static void a_cancelled_job_is_never_done(void **state)
{
	struct feeder_lab *lab = *state;
	const struct feeder_job job = { .url = "fake:hang", .fd = -1 };

	lab_start(lab, &job);
	lab->feeder = feeder_cancel(lab->feeder);
	assert_null(lab->feeder);
	assert_false(lab->done);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static bool cancelled_inside;

static int cancel_in_rows(void *arg, const struct feed_row *row, size_t count)
{
	struct feeder_lab *lab = arg;

	(void)row;
	(void)count;
	lab->feeder = feeder_cancel(lab->feeder);
	cancelled_inside = true;
	return 0;
}

static void must_not_be_done(void *arg, const struct feeder_result *result)
{
	(void)arg;
	(void)result;
	fail_msg("done() after feeder_cancel()");
}

static bool is_cancelled(struct feeder_lab *lab)
{
	(void)lab;
	return cancelled_inside && waitpid(-1, NULL, WNOHANG) < 0;
}

static void rows_may_cancel_their_own_feeder(void **state)
{
	struct feeder_lab *lab = *state;
	const struct feeder_job job = { .url = "fake:honest", .fd = -1 };

	assert_int_equal(feeder_start(lab->loop, &job, cancel_in_rows, must_not_be_done, lab,
				      &lab->feeder, NULL),
			 0);
	wait_lab(lab, is_cancelled);
}

static void a_job_that_cannot_be_ordered_is_refused_at_once(void **state)
{
	struct feeder_lab *lab = *state;
	static char url[FEEDER_URL_MAX + 1];
	struct feeder_job job = { .url = url, .fd = -1 };
	struct feeder *feeder = NULL;
	struct problem why = {};

	memset(url, 'x', sizeof(url) - 1);
	assert_int_equal(feeder_start(lab->loop, &job, NULL, NULL, NULL, &feeder, &why), -EINVAL);
	assert_non_null(strstr(why.text, "longer than"));
	job.url = NULL;
	assert_int_equal(feeder_start(lab->loop, &job, NULL, NULL, NULL, &feeder, &why), -EBADF);
	assert_null(feeder);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		with_feeder(an_honest_child_is_believed),
		with_feeder(a_child_that_crashes_is_a_failed_job),
		with_feeder(a_child_that_hangs_ends_at_the_deadline),
		with_feeder(garbage_on_the_pipe_is_a_failed_job),
		with_feeder(a_row_that_lies_is_never_handed_on),
		with_feeder(an_end_that_lies_is_a_failed_job),
		with_feeder(an_end_must_be_the_end),
		with_feeder(what_the_sandbox_forbids_kills_the_child),
		with_feeder(memory_is_bounded),
		with_feeder(a_child_inherits_nothing_that_it_does_not_need),
		with_feeder(a_job_is_cancelled_by_its_rows),
		with_feeder(a_cancelled_job_is_never_done),
		with_feeder(rows_may_cancel_their_own_feeder),
		with_feeder(a_job_that_cannot_be_ordered_is_refused_at_once),
	};

	feeder_lab_main(argc, argv, fake);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
