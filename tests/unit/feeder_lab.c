/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/feeder_lab.h"

#include <ftw.h>

#include "daemon/feeder_child.h"

#define DEADLINE_MS 60000
#define LOOK_MS	    5 /* between looks at a condition */

void feeder_lab_main(int argc, char **argv, void (*fake)(const char *name))
{
	static struct feeder_order order;

	if (!feeder_is_child(argc, argv))
		return;
	if (pread(FEEDER_FD_ORDER, &order, sizeof(order), 0) == sizeof(order) && fake &&
	    !strncmp(order.url, "fake:", 5)) {
		fake(order.url + 5);
		_exit(0);
	}
	feeder_child_main();
}

int feeder_lab_setup(void **state)
{
	struct feeder_lab *lab = calloc(1, sizeof(*lab));

	assert_non_null(lab);
	snprintf(lab->dir, sizeof(lab->dir), "/tmp/moat-feeder-XXXXXX");
	assert_non_null(mkdtemp(lab->dir));
	assert_int_equal(loop_new(&lab->loop), 0);
	*state = lab;
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

int feeder_lab_teardown(void **state)
{
	struct feeder_lab *lab = *state;

	feeder_cancel(lab->feeder);
	http_server_stop(lab->server);
	loop_free(lab->loop);
	assert_int_equal(nftw(lab->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
	free(lab);
	return 0;
}

/* ---- files ---- */

const char *lab_path(struct feeder_lab *lab, const char *name)
{
	static char path[4][128];
	static unsigned int next;
	char *to = path[next++ % ARRAY_SIZE(path)];

	snprintf(to, sizeof(path[0]), "%s/%s", lab->dir, name);
	return to;
}

void lab_write(struct feeder_lab *lab, const char *name, const void *bytes, size_t size)
{
	_cleanup_fclose_ FILE *file = fopen(lab_path(lab, name), "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
}

const char *lab_read(struct feeder_lab *lab, const char *name)
{
	static char text[4096];
	_cleanup_fclose_ FILE *file = fopen(lab_path(lab, name), "re");
	size_t size = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	text[size] = '\0';
	return text;
}

bool lab_has(struct feeder_lab *lab, const char *name)
{
	return !access(lab_path(lab, name), F_OK);
}

/* ---- jobs ---- */

void lab_serve(struct feeder_lab *lab, void (*handler)(struct http_exchange *x, void *arg))
{
	lab->server = http_server_start(handler, lab);
}

const char *lab_url(struct feeder_lab *lab, const char *path)
{
	static char url[256];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", http_server_port(lab->server), path);
	return url;
}

static int on_rows(void *arg, const struct feed_row *row, size_t count)
{
	struct feeder_lab *lab = arg;

	for (size_t i = 0; i < count && lab->rows + i < LAB_ROWS; i++)
		lab->row[lab->rows + i] = row[i];
	lab->rows += count;
	return lab->answer;
}

static void on_done(void *arg, const struct feeder_result *result)
{
	struct feeder_lab *lab = arg;

	assert_false(lab->done);
	lab->done = true;
	lab->feeder = NULL;
	lab->result = *result;
	loop_stop(lab->loop);
}

void lab_start(struct feeder_lab *lab, const struct feeder_job *job)
{
	struct problem why = {};

	lab->rows = 0;
	lab->done = false;
	memset(&lab->result, 0, sizeof(lab->result));
	if (feeder_start(lab->loop, job, on_rows, on_done, lab, &lab->feeder, &why))
		fail_msg("%s", why.text);
}

static void on_deadline(void *arg)
{
	(void)arg;
	fail_msg("no end within %d ms", DEADLINE_MS);
}

struct looking {
	struct feeder_lab *lab;
	bool (*condition)(struct feeder_lab *lab);
};

static void on_look(void *arg)
{
	struct looking *looking = arg;

	if (looking->condition(looking->lab))
		loop_stop(looking->lab->loop);
}

void wait_lab(struct feeder_lab *lab, bool (*condition)(struct feeder_lab *lab))
{
	struct looking looking = { lab, condition };
	int timer = loop_timer(lab->loop, DEADLINE_MS, 0, on_deadline, NULL);
	int look = condition ? loop_timer(lab->loop, 0, LOOK_MS, on_look, &looking) : 0;

	assert_int_equal(loop_run(lab->loop), 0);
	loop_timer_remove(lab->loop, timer);
	loop_timer_remove(lab->loop, look);
}

const struct feeder_result *lab_run(struct feeder_lab *lab, const struct feeder_job *job)
{
	lab_start(lab, job);
	wait_lab(lab, NULL);
	assert_true(lab->done);
	return &lab->result;
}

const struct feeder_result *lab_fetch(struct feeder_lab *lab, const char *url)
{
	const struct feeder_job job = { .url = url, .fd = -1, .parse = { .format = FEED_PLAIN } };

	return lab_run(lab, &job);
}

const char *lab_source(const struct feeder_lab *lab, size_t row)
{
	static char text[PREFIX_TEXT_MAX];

	return prefix_format(&lab->row[row].source, text);
}
