// SPDX-License-Identifier: BSD-2-Clause
#include <sys/stat.h>

#include "core/log.h"

#define LINE_MAX_BYTES 2048

static enum log_level threshold = LOG_INFO;

static const struct {
	const char *journal; /* sd-daemon(3) */
	const char *word;
} prefix[] = {
	[LOG_ERROR] = { "<3>", "error: " },   [LOG_WARNING] = { "<4>", "warning: " },
	[LOG_NOTICE] = { "<5>", "notice: " }, [LOG_INFO] = { "<6>", "info: " },
	[LOG_DEBUG] = { "<7>", "debug: " },
};

void log_set_level(enum log_level level)
{
	threshold = level;
}

/* JOURNAL_STREAM may be inherited by a process whose standard error went elsewhere. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char mine[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st))
		return false;
	snprintf(mine, sizeof(mine), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	return !strcmp(stream, mine);
}

/* One message is one line, and a name in it cannot forge another or drive a terminal. */
static void blot_control(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
	}
}

void log_atv(enum log_level level, const char *fmt, va_list args)
{
	char line[LINE_MAX_BYTES];
	size_t head, size;
	int saved = errno;
	ssize_t written;

	if (level > threshold)
		return;
	head = snprintf(line, sizeof(line), "%s",
			is_journal() ? prefix[level].journal : prefix[level].word);
	vsnprintf(line + head, sizeof(line) - head - 1, fmt, args);
	blot_control(line + head);
	size = strlen(line);
	line[size++] = '\n';

	/* One write, so that lines of a child process do not mix. */
	written = write(STDERR_FILENO, line, size);
	(void)written; /* there is nowhere to report it */
	errno = saved;
}

void log_at(enum log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_atv(level, fmt, args);
	va_end(args);
}
