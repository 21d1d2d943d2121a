/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many sources from standard input, one a line, in requests of bounded size.
 *
 * Blank lines and what follows '#' or ';' are skipped. A request is all or
 * nothing: what is refused is told with its line, and what earlier requests
 * added stays.
 */
#ifndef CLI_BULK_H
#define CLI_BULK_H

#include "cli/cli.h"
#include "core/emit.h"

/* One row more than the size still fits the daemon's cap of a body. */
#define BULK_ROWS_MAX 50000		   /* of a request */
#define BULK_SIZE_MAX (16UL * 1024 * 1024) /* bytes of a request */
#define BULK_LINE_MAX 512		   /* bytes of a line, with its end */

/* Writes one listing of source as a JSON object. */
typedef void (*bulk_row_fn)(struct emit *e, const struct call *call, const char *source);

int bulk_add(struct cli *cli, const struct call *call, const char *path, bulk_row_fn write_row);

#endif
