/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/client.h"

#include "cli/client_curl.h"
#include "cli/progress.h"
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

bool client_take(struct text *body, const char *data, size_t size)
{
	if (size > CLIENT_ANSWER_MAX - body->size)
		return false;
	text_add(body, "%.*s", (int)size, data);
	return !body->failed;
}

static size_t take_body(char *data, size_t size, size_t count, void *arg)
{
	(void)size; /* always 1 */
	return client_take(arg, data, count) ? count : 0;
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

const char *client_why(const struct cli *cli, CURLcode failed, long os_error,
		       char buf[static CLIENT_WHY_MAX])
{
	if (failed == CURLE_OPERATION_TIMEDOUT)
		snprintf(buf, CLIENT_WHY_MAX,
			 "no answer on %s in time: moatd is busy or hangs; see 'journalctl -u moatd'",
			 cli->socket);
	else if (os_error == EACCES)
		snprintf(buf, CLIENT_WHY_MAX,
			 "%s: permission denied: run moatctl as root or as a member of the socket's "
			 "group",
			 cli->socket);
	else if (os_error == ENOENT || os_error == ECONNREFUSED)
		snprintf(buf, CLIENT_WHY_MAX,
			 "no daemon on %s (%s): start it with 'systemctl start moatd' or 'moatd -c "
			 "FILE', or name its socket with -s; what was in force stays in force",
			 cli->socket, strerror((int)os_error));
	else
		snprintf(buf, CLIENT_WHY_MAX, "%s: %s", cli->socket,
			 os_error ? strerror((int)os_error) : curl_easy_strerror(failed));
	return buf;
}

bool client_prepare(CURL *curl, const struct cli *cli, const char *path)
{
	struct text url = {};
	bool fits;

	text_add(&url, "http://localhost%s", path);
	curl_easy_reset(curl);
	fits = !url.failed && curl_easy_setopt(curl, CURLOPT_URL, url.data) == CURLE_OK;
	text_free(&url);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, cli->socket);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "moatctl/" MOAT_VERSION);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	return fits;
}

static void set_request(CURL *curl, const char *method, const char *path, const struct text *body,
			struct answer *answer)
{
	bool is_list = strncmp(path, FEEDS, strlen(FEEDS)) == 0;

	curl_easy_setopt(curl, CURLOPT_TIMEOUT, is_list ? LIST_TIMEOUT_S : ANSWER_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer->body);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
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

static int show_sent(void *arg, curl_off_t to_get, curl_off_t got, curl_off_t to_send,
		     curl_off_t sent)
{
	(void)to_get;
	(void)got;
	progress_sent(arg, (uint64_t)sent, (uint64_t)to_send);
	return 0;
}

/* progress may be NULL. */
static int ask(struct cli *cli, const char *method, const char *path, const struct text *body,
	       const char *type, struct progress *progress, struct answer *ret)
{
	struct client *c = client_of(cli);
	char why[CLIENT_WHY_MAX];
	struct curl_slist *headers;
	long error = 0;
	CURLcode done;

	*ret = (struct answer){};
	if (!c || (body && body->failed) || !client_prepare(c->curl, cli, path))
		return cli_fail(cli, CLI_REFUSED, "out of memory");
	headers = make_headers(type);
	set_request(c->curl, method, path, body, ret);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
	if (progress) {
		curl_easy_setopt(c->curl, CURLOPT_NOPROGRESS, 0L);
		curl_easy_setopt(c->curl, CURLOPT_XFERINFOFUNCTION, show_sent);
		curl_easy_setopt(c->curl, CURLOPT_XFERINFODATA, progress);
	}
	done = curl_easy_perform(c->curl);
	curl_easy_getinfo(c->curl, CURLINFO_OS_ERRNO, &error);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &ret->status);
	curl_slist_free_all(headers);
	if (done != CURLE_OK) {
		answer_free(ret);
		return cli_fail(cli, CLI_NO_DAEMON, "%s", client_why(cli, done, error, why));
	}
	if (ret->body.data)
		ret->json = json_loadb(ret->body.data, ret->body.size, 0, NULL);
	return CLI_DONE;
}

int client_ask(struct cli *cli, const char *method, const char *path, const struct text *body,
	       struct answer *ret)
{
	return ask(cli, method, path, body, body ? "Content-Type: application/json" : NULL, NULL,
		   ret);
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
	struct progress progress = progress_begin(cli);
	int code = ask(cli, "POST", path, file, "Content-Type: application/octet-stream",
		       cli->progress ? &progress : NULL, ret);

	progress_end(&progress);
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
