/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/input.h"

#include <fcntl.h>

#define PIECE (64UL * 1024)

static int read_all(const struct cli *cli, int fd, const char *name, size_t max, const char *hint,
		    struct text *ret)
{
	ssize_t n;

	do {
		if (ret->room < ret->size + PIECE) {
			char *grown = realloc(ret->data, ret->room * 2 + PIECE);

			if (!grown)
				return cli_fail(cli, CLI_REFUSED, "out of memory");
			ret->data = grown;
			ret->room = ret->room * 2 + PIECE;
		}
		n = read(fd, ret->data + ret->size, PIECE);
		ret->size += n > 0 ? (size_t)n : 0;
		if (ret->size > max)
			return cli_fail(cli, CLI_REFUSED, "%s: larger than %zu MiB%s%s", name,
					max / (1024 * 1024), *hint ? ": " : "", hint);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? cli_fail(cli, CLI_USAGE, "%s: %s", name, strerror(errno)) : CLI_DONE;
}

int input_read(const struct cli *cli, const char *path, size_t max, const char *hint,
	       struct text *ret)
{
	_cleanup_close_ int fd = -1;

	if (strcmp(path, "-") == 0)
		return read_all(cli, fileno(cli->in), "standard input", max, hint, ret);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return cli_fail(cli, CLI_USAGE, "%s: %s", path, strerror(errno));
	return read_all(cli, fd, path, max, hint, ret);
}
