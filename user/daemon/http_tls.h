/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificate, key and the authorities of clients: read, checked before
 * anybody sees them, and what a client showed.
 */
#ifndef DAEMON_HTTP_TLS_H
#define DAEMON_HTTP_TLS_H

#include <microhttpd.h>

#include "core/config.h"

#define HTTP_TLS_FILE_MAX (1024 * 1024) /* bytes of each file */
#define HTTP_SUBJECT_MAX  1024

/* TLS 1.2 and 1.3, nothing older, what the server likes best. */
#define HTTP_TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

/* As text, for libmicrohttpd. */
struct http_tls {
	char *certificate, *key, *client_ca; /* owned; client_ca NULL: none */
	int64_t expires;		     /* of the certificate, unix seconds */
};

/* Reads them and sees that they fit. On failure why says which file and what to do. */
int http_tls_load(const struct config_tls *config, struct http_tls *ret, struct problem *why);
void http_tls_free(struct http_tls *t);

/*
 * The subject of the certificate that the client showed, as RFC 4514 writes it
 * (CN=ci,O=Example). 1; 0: he showed none, or none is asked for; -EPERM: none
 * of client_ca's, or not in force.
 */
int http_tls_subject(struct MHD_Connection *connection, char ret[static HTTP_SUBJECT_MAX]);

#endif
