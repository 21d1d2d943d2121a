/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/bulk.h"

#include <ctype.h>

#include "cli/client.h"
#include "cli/show.h"
#include "core/gate.h"

#define FIRST_SHOWN 10 /* refused rows named one by one */

struct bulk {
	struct cli *cli;
	const struct call *call;
	const char *path;
	bulk_row_fn write_row;

	struct text body;
	struct emit e;
	size_t rows;
	size_t *line; /* of each row of the request; owned */
	size_t line_number;

	int64_t added;	  /* by the requests so far */
	size_t not_added; /* refused, and left out because the caller wants that */
	size_t not_in_force;
};

static void bulk_free(struct bulk *b)
{
	text_free(&b->body);
	free(b->line);
}

static void start_request(struct bulk *b)
{
	text_free(&b->body);
	b->e = (struct emit){ .out = &b->body };
	b->rows = 0;
	emit_begin(&b->e, NULL, '[');
}

static void show_progress(const struct bulk *b, bool last)
{
	char count[SHOW_MAX];

	if (!b->cli->progress)
		return;
	fprintf(b->cli->err, "\r%s added", show_count(b->added, count));
	if (last)
		fputs("\r\033[K", b->cli->err);
	fflush(b->cli->err);
}

/* Puts the line of the input before what the daemon says of a row. */
static int refused(struct bulk *b, const struct answer *answer)
{
	json_t *index = json_object_get(answer->json, "index");
	json_int_t row = json_integer_value(index);
	char count[SHOW_MAX];
	int code = CLI_REFUSED;

	show_progress(b, true);
	if (json_is_integer(index) && row >= 0 && (size_t)row < b->rows)
		fprintf(b->cli->err, "line %zu: ", b->line[row]);
	client_succeeded(b->cli, answer, &code);
	if (b->added)
		cli_fail(b->cli, code, "%s listings of earlier lines were added",
			 show_count(b->added, count));
	return code;
}

/* Written, and waiting for room in the kernel; all other causes are the gate's: left out. */
static bool is_for_room(const char *cause)
{
	return strcmp(cause, gate_cause_label(GATE_MAP_FULL)) == 0 ||
	       strcmp(cause, gate_cause_label(GATE_CLASSES_FULL)) == 0;
}

static void note_rows(struct bulk *b, const json_t *answer)
{
	const json_t *listings = json_object_get(answer, "listings");
	json_t *row;
	size_t i;

	b->added += json_integer_value(json_object_get(answer, "added"));
	json_array_foreach(listings, i, row) {
		const char *state = answer_text(row, "state");
		const char *cause = answer_text(row, "cause");

		if (strcmp(state, "refused") != 0)
			continue;
		if (b->not_added + b->not_in_force < FIRST_SHOWN && i < b->rows)
			cli_fail(b->cli, CLI_REFUSED, "line %zu: %s: refused by guard %s",
				 b->line[i], answer_text(row, "source"), cause);
		if (is_for_room(cause))
			b->not_in_force++;
		else
			b->not_added++;
	}
}

static int send_request(struct bulk *b)
{
	_cleanup_(answer_free) struct answer answer = {};
	int code;

	if (!b->rows)
		return CLI_DONE;
	emit_end(&b->e, ']');
	code = client_ask(b->cli, "POST", b->path, &b->body, &answer);
	if (code != CLI_DONE)
		return code;
	if (answer.status < 200 || answer.status >= 300)
		return refused(b, &answer);
	note_rows(b, answer.json);
	if (b->cli->json)
		fputs(answer.body.data, b->cli->out);
	show_progress(b, false);
	start_request(b);
	return CLI_DONE;
}

/* The source of a line without comment and blanks, or NULL if there is none. */
static char *source_of(char *line)
{
	char *end;

	line[strcspn(line, "#;\r\n")] = '\0';
	while (isspace((unsigned char)*line))
		line++;
	end = line + strlen(line);
	while (end > line && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return *line ? line : NULL;
}

/* size: bytes read, the newline included. */
static int take_line(struct bulk *b, char *line, size_t size)
{
	char *source;

	b->line_number++;
	if (strlen(line) != size)
		return cli_fail(b->cli, CLI_REFUSED, "line %zu: holds a NUL byte: not a text list",
				b->line_number);
	if (size == BULK_LINE_MAX - 1 && line[size - 1] != '\n')
		return cli_fail(b->cli, CLI_REFUSED, "line %zu: longer than %d characters",
				b->line_number, BULK_LINE_MAX - 2);
	source = source_of(line);
	if (!source)
		return CLI_DONE;
	b->write_row(&b->e, b->call, source);
	b->line[b->rows++] = b->line_number;
	if (b->rows < BULK_ROWS_MAX && b->body.size < BULK_SIZE_MAX)
		return CLI_DONE;
	return send_request(b);
}

static int finish(const struct bulk *b)
{
	char count[SHOW_MAX];

	show_progress(b, true);
	if (!b->cli->json)
		fprintf(b->cli->out, "%s listing%s added\n", show_count(b->added, count),
			b->added == 1 ? "" : "s");
	if (b->not_added)
		cli_fail(b->cli, CLI_REFUSED, "%s refused and left out",
			 show_count((int64_t)b->not_added, count));
	if (b->not_in_force)
		return cli_fail(b->cli, CLI_REFUSED,
				"%s added, but NOT in force: see 'moatctl status'",
				show_count((int64_t)b->not_in_force, count));
	return CLI_DONE;
}

/* As fgets(), but tells the length, which a NUL byte in the line would hide. 0: the end. */
static size_t read_line(FILE *in, char line[static BULK_LINE_MAX])
{
	size_t size = 0;
	int c;

	while (size < BULK_LINE_MAX - 1 && (c = getc_unlocked(in)) != EOF) {
		line[size++] = (char)c;
		if (c == '\n')
			break;
	}
	line[size] = '\0';
	return size;
}

int bulk_add(struct cli *cli, const struct call *call, const char *path, bulk_row_fn write_row)
{
	_cleanup_(bulk_free) struct bulk b = {
		.cli = cli,
		.call = call,
		.path = path,
		.write_row = write_row,
		.line = calloc(BULK_ROWS_MAX, sizeof(*b.line)),
	};
	char line[BULK_LINE_MAX];
	size_t size;
	int code;

	if (!b.line)
		return cli_fail(cli, CLI_REFUSED, "out of memory");
	start_request(&b);
	while ((size = read_line(cli->in, line))) {
		code = take_line(&b, line, size);
		if (code != CLI_DONE)
			return code;
	}
	if (ferror(cli->in))
		return cli_fail(cli, CLI_REFUSED, "standard input: %s", strerror(errno));
	code = send_request(&b);
	return code != CLI_DONE ? code : finish(&b);
}
