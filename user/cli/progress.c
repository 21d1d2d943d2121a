/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/progress.h"

#include <stdarg.h>
#include <sys/ioctl.h>
#include <time.h>

#define WIDTH_MAX 256
#define MS_PER_S  1000
#define PATIENCE  (2 * PROGRESS_EVERY_MS) /* what is done sooner needs no line */
#define MIB	  (1024 * 1024.0)

int64_t progress_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * (int64_t)MS_PER_S + now.tv_nsec / 1000000;
}

struct progress progress_begin(const struct cli *cli)
{
	int64_t now = progress_clock_ms();

	return (struct progress){ .cli = cli, .began_ms = now, .shown_ms = now };
}

bool progress_due(const struct progress *p)
{
	return p->cli->progress && progress_clock_ms() - p->shown_ms >= PROGRESS_EVERY_MS;
}

/* Columns of the terminal behind standard error: a line that wraps cannot be taken away. */
static size_t columns(const struct cli *cli)
{
	struct winsize size = {};

	if (ioctl(fileno(cli->err), TIOCGWINSZ, &size) || size.ws_col < 2)
		return 79;
	return size.ws_col - 1U < WIDTH_MAX ? size.ws_col - 1U : WIDTH_MAX;
}

void progress_show(struct progress *p, const char *fmt, ...)
{
	char line[WIDTH_MAX + 1];
	va_list args;

	if (!p->cli->progress)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	fprintf(p->cli->err, "\r%.*s\033[K", (int)columns(p->cli), line);
	fflush(p->cli->err);
	p->shown = true;
	p->shown_ms = progress_clock_ms();
}

void progress_end(struct progress *p)
{
	if (!p->shown)
		return;
	fputs("\r\033[K", p->cli->err);
	fflush(p->cli->err);
	p->shown = false;
}

void progress_sent(struct progress *p, uint64_t sent, uint64_t size)
{
	int64_t ms = progress_clock_ms() - p->began_ms;

	if (!progress_due(p) || ms < PATIENCE)
		return;
	if (sent < size)
		progress_show(p, "sent %.1f of %.1f MiB (%d %%)", (double)sent / MIB,
			      (double)size / MIB, (int)(sent * 100 / size));
	else
		progress_show(p, "sent %.1f MiB; moatd checks the list, %d s so far",
			      (double)size / MIB, (int)(ms / MS_PER_S));
}
