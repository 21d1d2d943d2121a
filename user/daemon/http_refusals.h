/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a client did not get what it asked for before a handler saw it: the
 * label of moat_http_refused_total, and its text. Append only.
 */
#ifndef DAEMON_HTTP_REFUSALS_H
#define DAEMON_HTTP_REFUSALS_H

/*        name          label          what happened */
#define HTTP_REFUSALS(X)                                                                           \
	X(TOKEN, "token", "the token is not known")                                                \
	X(EXPIRED, "expired", "the token has expired")                                             \
	X(CLEAR, "clear", "tokens are not taken over plain HTTP from another host")                \
	X(CERTIFICATE, "certificate", "the client certificate is not one of client_ca")            \
	X(GUESSES, "guesses", "too many wrong tokens from this address")                           \
	X(PERMISSION, "permission", "a token is needed, or another one")                           \
	X(RATE, "rate", "too many requests from this address")                                     \
	X(CONNECTIONS, "connections", "too many connections")                                      \
	X(SLOW, "slow", "the request or the reading of its answer took too long")                  \
	X(GAVE_WAY, "gave_way", "a waiting connection was closed for a new one")

enum http_refusal {
#define X(name, label, text) HTTP_REFUSED_##name,
	HTTP_REFUSALS(X)
#undef X
		HTTP_REFUSED_MAX,
};

const char *http_refusal_label(enum http_refusal refusal);
const char *http_refusal_text(enum http_refusal refusal);

#endif
