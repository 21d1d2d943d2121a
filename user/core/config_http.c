/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/config_http.h"

#include <linux/limits.h>

#define TOKENS_PATH "/etc/moat/tokens"

bool http_default_settings(struct config *c)
{
	c->tokens = strdup(TOKENS_PATH);
	c->http = (struct config_http){
		.connections = CONFIG_HTTP_CONNECTIONS,
		.per_address = CONFIG_HTTP_PER_ADDRESS,
		.rate = CONFIG_HTTP_RATE,
	};
	return c->tokens != NULL;
}

int http_read_tokens(const struct setting_file *file, const struct setting *n, struct config *c)
{
	const char *text;
	int err = setting_text(file, n, &text);

	if (err)
		return err;
	if (strcmp(text, "none") != 0)
		return setting_path(file, n, PATH_MAX - 1, &c->tokens);
	free(c->tokens);
	c->tokens = NULL;
	return 0;
}

int http_read_tls(const struct setting_file *file, const struct setting *n, struct config *c)
{
	static const char *const keys[] = { "certificate", "key", "client_ca" };
	char **to[] = { &c->tls.certificate, &c->tls.key, &c->tls.client_ca };
	int err =
		setting_expect_mapping(file, n,
				       "{ certificate: /etc/moat/tls.crt, key: /etc/moat/tls.key }");

	if (!err)
		err = setting_check_keys(file, n, "tls", keys, ARRAY_SIZE(keys));
	for (size_t i = 0; !err && i < ARRAY_SIZE(keys); i++) {
		const struct setting *at = setting_get(n, keys[i]);

		if (at)
			err = setting_path(file, at, PATH_MAX - 1, to[i]);
	}
	if (!err && (!c->tls.certificate || !c->tls.key))
		err = setting_fail(file, n, "tls: certificate and key are needed, both");
	return err;
}

int http_read_limits(const struct setting_file *file, const struct setting *n, struct config *c)
{
	static const char *const keys[] = { "connections", "per_address", "rate", "insecure" };
	const struct {
		uint32_t *to;
		uint64_t min, max;
	} number[] = {
		{ &c->http.connections, CONFIG_HTTP_CONNECTIONS_MIN, CONFIG_HTTP_CONNECTIONS_MAX },
		{ &c->http.per_address, 1, CONFIG_HTTP_CONNECTIONS_MAX },
		{ &c->http.rate, 0, CONFIG_HTTP_RATE_MAX },
	};
	const struct setting *insecure = setting_get(n, "insecure");
	int err = setting_expect_mapping(file, n, "{ connections: 256, rate: 500 }");

	if (!err)
		err = setting_check_keys(file, n, "http", keys, ARRAY_SIZE(keys));
	for (size_t i = 0; !err && i < ARRAY_SIZE(number); i++) {
		const struct setting *at = setting_get(n, keys[i]);
		uint64_t value = *number[i].to;

		if (at)
			err = setting_number(file, at, number[i].min, number[i].max, false, &value);
		*number[i].to = (uint32_t)value;
	}
	if (!err && insecure)
		err = setting_bool(file, insecure, &c->http.insecure);
	return err;
}

void http_free_settings(struct config *c)
{
	free(c->tokens);
	free(c->tls.certificate);
	free(c->tls.key);
	free(c->tls.client_ca);
}
