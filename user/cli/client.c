/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/client.h"

#include <curl/curl.h>

#include "cli/table.h"

#define CONNECT_TIMEOUT_S 5L
#define ANSWER_TIMEOUT_S  120L
#define FEEDS		  "/api/v1/feeds/"
#define LIST_TIMEOUT_S	  660L /* a list may take its child ten minutes */

struct client {
	CURL *curl;
};

struct client *client_free(struct client *c)
{
	if (!c)
		return NULL;
	curl_easy_cleanup(c->curl);
	free(c);
	return NULL;
}

void answer_free(struct answer *a)
{
	text_free(&a->body);
	json_decref(a->json);
	a->json = NULL;
}

const char *answer_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static size_t take_body(char *data, size_t size, size_t count, void *arg)
{
	struct text *body = arg;

	(void)size; /* always 1 */
	if (count > CLIENT_ANSWER_MAX - body->size)
		return 0;
	text_add(body, "%.*s", (int)count, data);
	return body->failed ? 0 : count;
}

static struct client *client_of(struct cli *cli)
{
	struct client *c;

	if (cli->client)
		return cli->client;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->curl = curl_easy_init();
	if (!c->curl)
		return client_free(c);
	cli->client = c;
	return c;
}

static int no_daemon(const struct cli *cli, CURLcode failed, long error)
{
	if (failed == CURLE_OPERATION_TIMEDOUT)
		return cli_fail(cli, CLI_NO_DAEMON,
				"no answer on %s in time: moatd is busy or hangs; see 'journalctl -u "
				"moatd'",
				cli->socket);
	if (error == EACCES)
		return cli_fail(cli, CLI_NO_DAEMON,
				"%s: permission denied: run moatctl as root or as a member of the "
				"socket's group",
				cli->socket);
	if (error == ENOENT || error == ECONNREFUSED)
		return cli_fail(cli, CLI_NO_DAEMON,
				"no daemon on %s (%s): start it with 'systemctl start moatd' or 'moatd "
				"-c FILE', or name its socket with -s",
				cli->socket, strerror((int)error));
	return cli_fail(cli, CLI_NO_DAEMON, "%s: %s", cli->socket,
			error ? strerror((int)error) : curl_easy_strerror(failed));
}

static void set_request(CURL *curl, const struct cli *cli, const char *method, const char *path,
			const struct text *body, struct answer *answer)
{
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, cli->socket);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "moatctl/" MOAT_VERSION);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, ANSWER_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer->body);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	if (strncmp(path, FEEDS, strlen(FEEDS)) == 0)
		curl_easy_setopt(curl, CURLOPT_TIMEOUT, LIST_TIMEOUT_S);
	if (strcmp(method, "POST") == 0) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body ? body->data : "");
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)(body ? body->size : 0));
	}
}

/* Without "Expect: 100-continue": the daemon of this host takes a body at once. */
static struct curl_slist *make_headers(const char *type)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");

	return type ? curl_slist_append(headers, type) : headers;
}

static int ask(struct cli *cli, const char *method, const char *path, const struct text *body,
	       const char *type, struct answer *ret)
{
	struct client *c = client_of(cli);
	struct curl_slist *headers;
	struct text url = {};
	long error = 0;
	CURLcode done;

	*ret = (struct answer){};
	text_add(&url, "http://localhost%s", path);
	if (!c || url.failed || (body && body->failed)) {
		text_free(&url);
		return cli_fail(cli, CLI_REFUSED, "out of memory");
	}
	headers = make_headers(type);
	set_request(c->curl, cli, method, path, body, ret);
	curl_easy_setopt(c->curl, CURLOPT_URL, url.data);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
	done = curl_easy_perform(c->curl);
	curl_easy_getinfo(c->curl, CURLINFO_OS_ERRNO, &error);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &ret->status);
	curl_slist_free_all(headers);
	text_free(&url);
	if (done != CURLE_OK) {
		answer_free(ret);
		return no_daemon(cli, done, error);
	}
	if (ret->body.data)
		ret->json = json_loadb(ret->body.data, ret->body.size, 0, NULL);
	return CLI_DONE;
}

int client_ask(struct cli *cli, const char *method, const char *path, const struct text *body,
	       struct answer *ret)
{
	return ask(cli, method, path, body, body ? "Content-Type: application/json" : NULL, ret);
}

bool client_succeeded(const struct cli *cli, const struct answer *answer, int *ret_code)
{
	const char *detail = answer_text(answer->json, "detail");
	struct text clean = {};

	if (answer->status >= 200 && answer->status < 300)
		return true;
	if (cli->json && answer->json)
		fputs(answer->body.data, cli->out);
	clean_text(&clean, detail[0]	       ? detail
			   : answer->body.data ? answer->body.data
					       : "no reason given");
	*ret_code = cli_fail(cli, answer->status == 400 ? CLI_USAGE : CLI_REFUSED, "%s",
			     clean.failed ? "out of memory" : clean.data);
	text_free(&clean);
	return false;
}

int client_get(struct cli *cli, const char *method, const char *path, const struct text *body,
	       struct answer *ret)
{
	int code = client_ask(cli, method, path, body, ret);

	if (code == CLI_DONE && !client_succeeded(cli, ret, &code))
		answer_free(ret);
	return code;
}

int client_upload(struct cli *cli, const char *path, const struct text *file, struct answer *ret)
{
	int code = ask(cli, "POST", path, file, "Content-Type: application/octet-stream", ret);

	if (code == CLI_DONE && !client_succeeded(cli, ret, &code))
		answer_free(ret);
	return code;
}

void client_param(struct text *path, const char *key, const char *value)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/";

	if (!value)
		return;
	text_add(path, "%c%s=", path->data && strchr(path->data, '?') ? '&' : '?', key);
	for (; *value; value++) {
		if (strchr(plain, *value))
			text_add(path, "%c", *value);
		else
			text_add(path, "%%%02X", (unsigned int)(unsigned char)*value);
	}
}
