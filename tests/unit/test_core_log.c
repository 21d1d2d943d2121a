// SPDX-License-Identifier: BSD-2-Clause
/*
 * The log: one line a message, with the journal's priority where that reads it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "core/log.h"

#define CAPTURED_MAX 8192

/* Standard error goes into a pipe between begin() and end(). */
struct capture {
	int saved, read_end;
	char text[CAPTURED_MAX];
};

static void begin(struct capture *c)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	c->saved = dup(STDERR_FILENO);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	close(fds[1]);
	c->read_end = fds[0];
}

static const char *end(struct capture *c)
{
	ssize_t size = read(c->read_end, c->text, sizeof(c->text) - 1);

	dup2(c->saved, STDERR_FILENO);
	close(c->saved);
	close(c->read_end);
	c->text[size > 0 ? size : 0] = '\0';
	return c->text;
}

static void a_plain_stream_gets_words(void **state)
{
	struct capture c;

	(void)state;
	unsetenv("JOURNAL_STREAM");
	begin(&c);
	log_error("interface '%s': gone", "eth0");
	log_warning("w");
	log_notice("n");
	log_info("i");
	assert_string_equal(end(&c),
			    "error: interface 'eth0': gone\nwarning: w\nnotice: n\ninfo: i\n");
}

static void the_journal_gets_priorities(void **state)
{
	struct capture c;
	struct stat st;
	char stream[64];

	(void)state;
	begin(&c);
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_error("e");
	log_warning("w");
	log_notice("n");
	log_info("i");
	setenv("JOURNAL_STREAM", "1:2", 1); /* somebody else's stream, inherited */
	log_error("e");
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(end(&c), "<3>e\n<4>w\n<5>n\n<6>i\nerror: e\n");
}

static void the_level_decides_what_is_said(void **state)
{
	struct capture c;

	(void)state;
	begin(&c);
	log_debug("not by default");
	log_set_level(LOG_ERROR);
	log_warning("no");
	log_error("yes");
	log_set_level(LOG_DEBUG);
	log_debug("yes");
	log_set_level(LOG_INFO);
	assert_string_equal(end(&c), "error: yes\ndebug: yes\n");
}

static void a_message_is_one_line_of_bounded_length(void **state)
{
	struct capture c;
	char lots[5000];
	const char *text;

	(void)state;
	memset(lots, 'x', sizeof(lots));
	lots[sizeof(lots) - 1] = '\0';
	begin(&c);
	log_error("forged\nerror: line \033[2J");
	log_error("%s", lots);
	text = end(&c);
	assert_memory_equal(text, "error: forged?error: line ?[2J\nerror: xxx", 41);
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_true(strlen(text) < 2200);
}

static void logging_keeps_errno(void **state)
{
	struct capture c;

	(void)state;
	begin(&c);
	errno = ENOSPC;
	log_error("x");
	assert_int_equal(errno, ENOSPC);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_stream_gets_words),
		cmocka_unit_test(the_journal_gets_priorities),
		cmocka_unit_test(the_level_decides_what_is_said),
		cmocka_unit_test(a_message_is_one_line_of_bounded_length),
		cmocka_unit_test(logging_keeps_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
