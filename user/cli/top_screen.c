/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/top_screen.h"

#include <locale.h>
#include <ncurses.h>
#include <sys/ioctl.h>
#include <time.h>

#include "cli/live.h"
#include "cli/progress.h"

#define MS_PER_S    1000
#define KEY_ESCAPE  27
#define KEY_ERASE   127
#define KEY_CTRL_H  8
#define ESCAPE_MS   50 /* what follows an escape later is not part of it */
#define ACTIVE_S    60
#define PATIENCE_MS 5000 /* for an answer */
#define EMPTY_KEYS  16	 /* of a terminal that is gone */

enum { ASK_STATUS, ASK_METRICS, ASK_ROWS, ASKS };

struct screen {
	struct cli *cli;
	struct live *live;
	SCREEN *terminal;
	const struct top_screen *options;
	struct top top;
	int64_t asked_ms;    /* when the last round began; 0: another one is due */
	int64_t answered_ms; /* when the daemon answered last */
	int empty_keys;
	bool stale; /* the rows under way are of a kind that nobody wants any more */
	bool over;
};

/* ---- the terminal ---- */

static void put(void *arg, int x, int y, enum tint tint, bool reverse, const char *text)
{
	static const attr_t attributes[] = {
		[TINT_NONE] = A_NORMAL, [TINT_GOOD] = A_NORMAL, [TINT_WARN] = A_BOLD,
		[TINT_BAD] = A_BOLD,	[TINT_DIM] = A_DIM,	[TINT_BOLD] = A_BOLD,
	};
	const struct screen *s = arg;
	attr_t attribute = attributes[tint] | (reverse ? A_REVERSE : A_NORMAL);

	if (s->cli->colour && has_colors())
		attribute |= (attr_t)COLOR_PAIR(tint);
	attrset(attribute);
	mvaddstr(y, x, text);
	attrset(A_NORMAL);
}

static void paint(struct screen *s)
{
	const struct canvas canvas = {
		.width = COLS < TOP_WIDTH_MAX ? COLS : TOP_WIDTH_MAX - 1,
		.height = LINES,
		.put = put,
		.arg = s,
	};

	erase();
	top_draw(&s->top, &canvas);
	refresh();
}

static void open_colours(void)
{
	start_color();
	use_default_colors();
	init_pair(TINT_GOOD, COLOR_GREEN, -1);
	init_pair(TINT_WARN, COLOR_YELLOW, -1);
	init_pair(TINT_BAD, COLOR_RED, -1);
}

static bool open_terminal(struct screen *s)
{
	setlocale(LC_CTYPE, "");
	s->terminal = newterm(NULL, s->cli->out, s->cli->in);
	if (!s->terminal)
		return false;
	set_term(s->terminal);
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	if (s->cli->colour && has_colors())
		open_colours();
	return true;
}

static void screen_close(struct screen *s)
{
	if (s->terminal) {
		endwin();
		delscreen(s->terminal);
	}
	top_free(&s->top);
	live_free(s->live);
}

static void take_size(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
	clearok(stdscr, TRUE);
}

/* ---- the daemon ---- */

static bool is_asking(const struct screen *s)
{
	for (unsigned int i = 0; i < ASKS; i++)
		if (live_busy(s->live, i))
			return true;
	return false;
}

static void ask(struct screen *s)
{
	const struct live_options options = { .timeout_ms = PATIENCE_MS };
	struct text path = {};

	top_path(s->top.by, s->options->limit, s->top.seen, &path);
	if (!path.failed) {
		live_get(s->live, ASK_STATUS, "/api/v1/status", &options);
		live_get(s->live, ASK_METRICS, "/metrics", &options);
		live_get(s->live, ASK_ROWS, path.data, &options);
	}
	text_free(&path);
	s->stale = false;
	s->asked_ms = progress_clock_ms();
}

static void take(struct screen *s, unsigned int what, struct answer *answer)
{
	int64_t now = progress_clock_ms();

	if (what == ASK_STATUS && answer->json) {
		top_take_status(&s->top, json_incref(answer->json));
		s->answered_ms = now;
	} else if (what == ASK_METRICS && answer->body.data) {
		top_take_metrics(&s->top, answer->body.data, now);
	} else if (what == ASK_ROWS && answer->json && !s->stale) {
		top_take_rows(&s->top, answer->json, now);
	}
}

/* Answers that have come; a round that is over and held still is thrown away. */
static void take_answers(struct screen *s)
{
	char why[CLIENT_WHY_MAX];

	s->top.trouble[0] = '\0';
	for (unsigned int i = 0; i < ASKS; i++) {
		struct answer answer = {};

		if (live_answer(s->live, i, &answer, why) != CLI_DONE)
			snprintf(s->top.trouble, sizeof(s->top.trouble), "%s", why);
		else if (answer.status != 200)
			snprintf(s->top.trouble, sizeof(s->top.trouble), "%s",
				 answer_text(answer.json, "detail"));
		else if (!s->top.held)
			take(s, i, &answer);
		answer_free(&answer);
	}
}

/* ---- keys ---- */

static void scroll_by(struct screen *s, long rows)
{
	long count = (long)top_rows_fitting(&s->top), room = top_room(&s->top, LINES);
	long first = (long)s->top.first + rows;

	if (first > count - room)
		first = count - room;
	s->top.first = first > 0 ? (size_t)first : 0;
}

static void type(struct screen *s, int key)
{
	size_t used = strlen(s->top.filter);

	if (key == '\n' || key == '\r' || key == KEY_ENTER)
		s->top.typing = false;
	else if (key == KEY_ESCAPE)
		s->top.typing = false, s->top.filter[0] = '\0';
	else if ((key == KEY_BACKSPACE || key == KEY_ERASE || key == KEY_CTRL_H) && used)
		s->top.filter[used - 1] = '\0';
	else if (key >= ' ' && key < KEY_ERASE && used < TOP_FILTER_MAX - 1)
		s->top.filter[used] = (char)key, s->top.filter[used + 1] = '\0';
	s->top.first = 0;
}

/* Rows of another kind: asked for at once. */
static void start_over(struct screen *s)
{
	top_forget_rows(&s->top);
	s->top.held = false;
	s->stale = true;
	s->asked_ms = 0;
}

static void press(struct screen *s, int key)
{
	struct top *t = &s->top;

	switch (key) {
	case 'q':
		s->over = true;
		break;
	case 'b':
		t->by = (t->by + 1) % TOP_BY_MAX;
		start_over(s);
		break;
	case 'a':
		t->seen = t->seen ? 0 : ACTIVE_S;
		start_over(s);
		break;
	case 's':
		t->sort = (t->sort + 1) % TOP_SORT_MAX;
		top_sort_rows(t);
		break;
	case 'p':
	case ' ':
		t->held = !t->held;
		break;
	case '/':
		t->typing = true;
		break;
	case KEY_ESCAPE:
		t->filter[0] = '\0';
		t->help = false;
		break;
	case 'h':
	case '?':
		t->help = !t->help;
		break;
	case KEY_UP:
		scroll_by(s, -1);
		break;
	case KEY_DOWN:
		scroll_by(s, 1);
		break;
	case KEY_PPAGE:
		scroll_by(s, -top_room(t, LINES));
		break;
	case KEY_NPAGE:
		scroll_by(s, top_room(t, LINES));
		break;
	case KEY_HOME:
		t->first = 0;
		break;
	case KEY_END:
		scroll_by(s, TOP_ROWS_MAX);
		break;
	}
}

static void take_keys(struct screen *s)
{
	int key = getch();

	/* A terminal that says that it has keys, and has none, is gone. */
	s->empty_keys = key == ERR ? s->empty_keys + 1 : 0;
	s->over |= s->empty_keys > EMPTY_KEYS;
	for (; key != ERR; key = getch()) {
		if (s->top.typing)
			type(s, key);
		else
			press(s, key);
	}
	scroll_by(s, 0);
}

/* ---- all of it ---- */

static void look(struct screen *s)
{
	int64_t now = progress_clock_ms(), due = s->asked_ms + s->options->delay_s * MS_PER_S;
	unsigned int happened;

	if (!is_asking(s) && now >= due) {
		ask(s);
		due = now + s->options->delay_s * MS_PER_S;
	}
	happened = live_wait(s->live, due > now ? (int)(due - now) : MS_PER_S);
	if (happened & (LIVE_STOP | LIVE_UNREAD))
		s->over = true;
	if (happened & LIVE_RESIZED)
		take_size();
	if (happened & LIVE_ENDED && !is_asking(s))
		take_answers(s);
	if (happened & LIVE_KEY)
		take_keys(s);
	s->top.now = time(NULL);
	s->top.silent_s = (progress_clock_ms() - s->answered_ms) / MS_PER_S;
	scroll_by(s, 0);
	paint(s);
}

int top_screen_run(struct cli *cli, const struct top_screen *options)
{
	_cleanup_(screen_close) struct screen s = {
		.cli = cli,
		.options = options,
		.answered_ms = progress_clock_ms(),
		.top = { .by = options->by, .now = cli->now, .seen = ACTIVE_S },
	};
	_cleanup_(answer_free) struct answer first = {};
	/* Without a daemon there is nothing to look at; one that goes later comes back. */
	int code = client_get(cli, "GET", "/api/v1/status", NULL, &first);

	if (code == CLI_DONE)
		code = live_new(cli, LIVE_SIGNALS | LIVE_RESIZE, &s.live);
	if (code != CLI_DONE)
		return code;
	if (!open_terminal(&s))
		return cli_fail(cli, CLI_REFUSED,
				"the terminal '%s' cannot show a full screen: use 'moatctl top -n'",
				getenv("TERM") ?: "");
	live_watch(s.live, fileno(cli->in), -1);
	while (!s.over)
		look(&s);
	return CLI_DONE;
}
