/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that a verb sends to the daemon whole.
 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "cli/cli.h"
#include "core/text.h"

/*
 * path "-": cli->in. Any bytes, NUL among them. CLI_DONE, or what was said on
 * cli->err is an exit code: no such file, or larger than max bytes; hint says
 * then what to do, after a colon, or is "".
 */
int input_read(const struct cli *cli, const char *path, size_t max, const char *hint,
	       struct text *ret);

#endif
