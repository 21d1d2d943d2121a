/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/metrics_http.h"

#include <time.h>

#include "daemon/http.h"
#include "daemon/http_tokens.h"

static void write_tokens(const struct http_numbers *n, struct text *out)
{
	size_t count = http_tokens_count(n->tokens), expired = 0;
	struct http_token_view view;

	for (size_t i = 0; i < count; i++) {
		http_tokens_view(n->tokens, i, &view);
		expired += token_expired(view.token, time(NULL));
	}
	text_metric(out, "moat_tokens", "gauge", "Tokens of the tokens file, by state.");
	text_sample(out, "moat_tokens", (double)(count - expired), "state", "valid", NULL);
	text_sample(out, "moat_tokens", (double)expired, "state", "expired", NULL);
}

void metrics_http_write(struct daemon *d, struct text *out)
{
	struct http_numbers n;

	http_numbers(d->http, &n);
	text_metric(out, "moat_http_connections", "gauge", "Connections that are open over TCP.");
	text_sample(out, "moat_http_connections", (double)n.open, NULL);
	text_metric(out, "moat_http_refused_total", "counter",
		    "Requests and connections that were refused or ended, by cause.");
	for (size_t i = 0; i < HTTP_REFUSED_MAX; i++)
		text_sample(out, "moat_http_refused_total", (double)n.refused[i], "cause",
			    http_refusal_label((enum http_refusal)i), NULL);
	write_tokens(&n, out);
	if (!n.tls_expires)
		return;
	text_metric(out, "moat_tls_certificate_expiry_timestamp_seconds", "gauge",
		    "When the certificate in use ends.");
	text_sample(out, "moat_tls_certificate_expiry_timestamp_seconds", (double)n.tls_expires,
		    NULL);
}
