/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attach, detach, pause, resume.
 */
#include "cli/client.h"
#include "cli/show.h"
#include "cli/verbs.h"
#include "core/emit.h"
#include "core/units.h"

/* POSTs, shows a member of the answer (NULL: all of it). */
static int post_and_show(struct cli *cli, const char *path, const struct text *body,
			 const char *member,
			 void (*show)(const struct cli *cli, const json_t *json))
{
	_cleanup_(answer_free) struct answer answer = {};
	int code = client_get(cli, "POST", path, body, &answer);

	if (code != CLI_DONE)
		return code;
	if (cli->json)
		fputs(answer.body.data ? answer.body.data : "", cli->out);
	else
		show(cli, member ? json_object_get(answer.json, member) : answer.json);
	return CLI_DONE;
}

static int act_on_interface(struct cli *cli, const char *name, const char *verb)
{
	struct text path = {};
	int code;

	if (!name[0] || strchr(name, '/') || strchr(name, '?') || strchr(name, '%'))
		return cli_fail(cli, CLI_USAGE, "'%s' is not the name of an interface", name);
	text_add(&path, "/api/v1/interfaces/%s/%s", name, verb);
	code = path.failed ? cli_fail(cli, CLI_REFUSED, "out of memory")
			   : post_and_show(cli, path.data, NULL, "interface", show_interface);
	text_free(&path);
	return code;
}

enum { ATTACH_CONFIRM };

static const struct verb_option attach_options[] = {
	[ATTACH_CONFIRM] = { 0, "confirm", "TIME",
			     "it comes off again after 60s, 5m, unless 'confirm IFACE' comes first" },
};

static int run_attach(struct cli *cli, const struct call *call)
{
	const char *confirm = call->value[ATTACH_CONFIRM];
	struct text verb = {};
	int64_t seconds;
	int code;

	if (confirm && units_duration(confirm, &seconds))
		return cli_fail(cli, CLI_USAGE, "--confirm %s: a duration (60s, 5m) is expected",
				confirm);
	text_add(&verb, "attach");
	client_param(&verb, "confirm", confirm);
	code = verb.failed ? cli_fail(cli, CLI_REFUSED, "out of memory")
			   : act_on_interface(cli, call->arg[0], verb.data);
	text_free(&verb);
	return code;
}

int switch_confirm(struct cli *cli, const char *iface)
{
	return act_on_interface(cli, iface, "confirm");
}

static int run_detach(struct cli *cli, const struct call *call)
{
	return act_on_interface(cli, call->arg[0], "detach");
}

const struct verb verb_attach = {
	.name = "attach",
	.args = "IFACE",
	.summary = "puts the filter on an interface; a foreign XDP program is named and left alone",
	.min_args = 1,
	.max_args = 1,
	.options = attach_options,
	.option_count = ARRAY_SIZE(attach_options),
	.run = run_attach,
};

const struct verb verb_detach = {
	.name = "detach",
	.args = "IFACE",
	.summary = "takes the filter off an interface until 'attach'",
	.min_args = 1,
	.max_args = 1,
	.run = run_detach,
};

enum { PAUSE_FOR };

static const struct verb_option pause_options[] = {
	[PAUSE_FOR] = { 0, "for", "TIME",
			"in force again by itself after 90s, 5m, 1h (only by hand)" },
};

static int run_pause(struct cli *cli, const struct call *call)
{
	const char *duration = call->value[PAUSE_FOR];
	struct text body = {};
	struct emit e = { .out = &body };
	int64_t seconds;
	int code;

	if (duration && units_duration(duration, &seconds))
		return cli_fail(cli, CLI_USAGE, "--for %s: a duration (90s, 5m, 1h) is expected",
				duration);
	emit_begin(&e, NULL, '{');
	if (duration)
		emit_text(&e, "for", duration);
	emit_end(&e, '}');
	code = post_and_show(cli, "/api/v1/pause", &body, NULL, show_paused);
	text_free(&body);
	return code;
}

const struct verb verb_pause = {
	.name = "pause",
	.args = "",
	.summary = "every packet passes, still counted",
	.options = pause_options,
	.option_count = ARRAY_SIZE(pause_options),
	.run = run_pause,
};

static int run_resume(struct cli *cli, const struct call *call)
{
	(void)call;
	return post_and_show(cli, "/api/v1/resume", NULL, NULL, show_paused);
}

const struct verb verb_resume = {
	.name = "resume",
	.args = "",
	.summary = "ends a pause",
	.run = run_resume,
};
