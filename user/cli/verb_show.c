/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status, explain, audit, metrics, version: ask and show.
 */
#include "cli/client.h"
#include "cli/show.h"
#include "cli/verbs.h"
#include "core/units.h"
#include "core/when.h"

/* GETs a path, shows the JSON as text or as it is. */
static int get_and_show(struct cli *cli, const char *path,
			void (*show)(const struct cli *cli, const json_t *json))
{
	_cleanup_(answer_free) struct answer answer = {};
	int code = client_get(cli, "GET", path, NULL, &answer);

	if (code != CLI_DONE)
		return code;
	if (cli->json || !show)
		fputs(answer.body.data ? answer.body.data : "", cli->out);
	else
		show(cli, answer.json);
	return CLI_DONE;
}

static int run_status(struct cli *cli, const struct call *call)
{
	(void)call;
	return get_and_show(cli, "/api/v1/status", show_status);
}

const struct verb verb_status = {
	.name = "status",
	.args = "",
	.summary = "interfaces, coverage, sync; what is degraded and what to do",
	.run = run_status,
};

enum { EXPLAIN_PROTO, EXPLAIN_DPORT, EXPLAIN_IFACE };

static const struct verb_option explain_options[] = {
	[EXPLAIN_PROTO] = { 'p', "proto", "PROTOCOL", "of the packet: tcp, udp, icmp, ... (tcp)" },
	[EXPLAIN_DPORT] = { 'd', "dport", "PORT", "its destination port, or ICMP type" },
	[EXPLAIN_IFACE] = { 'i', "iface", "IFACE", "where it comes in" },
};

static int run_explain(struct cli *cli, const struct call *call)
{
	struct text path = {};
	int code;

	text_add(&path, "/api/v1/explain");
	client_param(&path, "address", call->arg[0]);
	client_param(&path, "proto", call->value[EXPLAIN_PROTO]);
	client_param(&path, "port", call->value[EXPLAIN_DPORT]);
	client_param(&path, "iface", call->value[EXPLAIN_IFACE]);
	if (path.failed)
		code = cli_fail(cli, CLI_REFUSED, "out of memory");
	else
		code = get_and_show(cli, path.data, show_explain);
	text_free(&path);
	return code;
}

const struct verb verb_explain = {
	.name = "explain",
	.args = "ADDRESS",
	.summary = "every listing that covers it, which policy decided, and what the kernel does",
	.details =
		"A packet of that address goes through the loaded program, beside the wire. Says\n"
		"so loudly where the database and the kernel differ.",
	.min_args = 1,
	.max_args = 1,
	.options = explain_options,
	.option_count = ARRAY_SIZE(explain_options),
	.run = run_explain,
};

enum { AUDIT_SINCE, AUDIT_VERIFY, AUDIT_HEAD, AUDIT_ACCEPT };

static const struct verb_option audit_options[] = {
	[AUDIT_SINCE] = { 0, "since", "TIME", "1h, 2d, ... ago, or an RFC 3339 time" },
	[AUDIT_VERIFY] = { 0, "verify", NULL, "proves the log whole, or says where it is not" },
	[AUDIT_HEAD] = { 0, "head", "HASH", "with --verify: a head noted earlier must be in it" },
	[AUDIT_ACCEPT] = { 0, "accept", NULL, "takes a broken log as it is from now on" },
};

static int run_audit_verify(struct cli *cli, const char *head)
{
	_cleanup_(answer_free) struct answer answer = {};
	struct text path = {};
	int code;

	text_add(&path, "/api/v1/audit/verify");
	client_param(&path, "head", head);
	code = path.failed ? cli_fail(cli, CLI_REFUSED, "out of memory")
			   : client_get(cli, "GET", path.data, NULL, &answer);
	text_free(&path);
	if (code != CLI_DONE)
		return code;
	if (cli->json)
		fputs(answer.body.data ? answer.body.data : "", cli->out);
	else
		show_audit_proof(cli, answer.json);
	return json_is_true(json_object_get(answer.json, "whole")) ? CLI_DONE : CLI_REFUSED;
}

static int run_audit_accept(struct cli *cli)
{
	_cleanup_(answer_free) struct answer answer = {};
	int code = client_get(cli, "POST", "/api/v1/audit/accept", NULL, &answer);

	if (code != CLI_DONE)
		return code;
	if (cli->json)
		fputs(answer.body.data ? answer.body.data : "", cli->out);
	else
		fprintf(cli->out, "taken as it is up to entry %" JSON_INTEGER_FORMAT ", head %s\n",
			json_integer_value(json_object_get(answer.json, "accepted_entry")),
			answer_text(answer.json, "head"));
	return CLI_DONE;
}

static int run_audit(struct cli *cli, const struct call *call)
{
	const char *since = call->value[AUDIT_SINCE];
	bool verify = call->value[AUDIT_VERIFY], accept = call->value[AUDIT_ACCEPT];
	char path[128];
	int64_t seconds;

	if (verify + accept + !!since > 1)
		return cli_fail(cli, CLI_USAGE,
				"audit: give one of --since, --verify and --accept");
	if (call->value[AUDIT_HEAD] && !verify)
		return cli_fail(cli, CLI_USAGE, "audit: --head goes with --verify");
	if (verify)
		return run_audit_verify(cli, call->value[AUDIT_HEAD]);
	if (accept)
		return run_audit_accept(cli);
	if (!since)
		return get_and_show(cli, "/api/v1/audit", show_audit);
	if (units_duration(since, &seconds) == 0)
		seconds = cli->now - seconds;
	else if (when_parse(since, &seconds))
		return cli_fail(cli, CLI_USAGE,
				"--since %s: a duration (90s, 15m, 12h, 30d) or an RFC 3339 time "
				"(2026-11-23T11:00:00Z) is expected",
				since);
	snprintf(path, sizeof(path), "/api/v1/audit?since=%lld",
		 (long long)(seconds < 0 ? 0 : seconds));
	return get_and_show(cli, path, show_audit);
}

const struct verb verb_audit = {
	.name = "audit",
	.args = "",
	.summary = "who changed what, when, from where; proves that nobody changed that since",
	.details =
		"Every entry is chained to the one before by SHA-256 about a second after it was\n"
		"written. --verify proves the chain, and that it ends where moatd noted it: nothing\n"
		"was changed, removed, put in or reordered since. Who can write the database and\n"
		"moatd's note beside it can make all of it anew: keep the head that --verify prints\n"
		"elsewhere, and give it to a later --verify --head. Exit 1 if it is not whole.",
	.options = audit_options,
	.option_count = ARRAY_SIZE(audit_options),
	.run = run_audit,
};

static int run_metrics(struct cli *cli, const struct call *call)
{
	_cleanup_(answer_free) struct answer answer = {};
	const char *metrics;
	int code;

	(void)call;
	code = client_get(cli, "GET", "/metrics", NULL, &answer);
	if (code != CLI_DONE)
		return code;
	metrics = answer.body.data ? answer.body.data : "";
	if (cli->json)
		show_metrics_json(cli, metrics);
	else
		fputs(metrics, cli->out);
	return CLI_DONE;
}

const struct verb verb_metrics = {
	.name = "metrics",
	.args = "",
	.summary = "what Prometheus scrapes",
	.run = run_metrics,
};

static int run_version(struct cli *cli, const struct call *call)
{
	(void)call;
	fputs(cli->json ? "{\"version\":\"" MOAT_VERSION "\"}\n" : "moatctl " MOAT_VERSION "\n",
	      cli->out);
	return CLI_DONE;
}

const struct verb verb_version = {
	.name = "version",
	.args = "",
	.summary = "the version of moatctl",
	.run = run_version,
};
