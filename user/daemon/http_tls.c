/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/http_tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "daemon/http_file.h"

void http_tls_free(struct http_tls *t)
{
	free(t->certificate);
	if (t->key)
		explicit_bzero(t->key, strlen(t->key));
	free(t->key);
	free(t->client_ca);
	*t = (struct http_tls){};
}

static int load(const char *path, enum http_file_kind kind, char **ret, struct problem *why)
{
	struct problem inner = {};
	size_t size;
	int err = http_file_read(path, kind, HTTP_TLS_FILE_MAX, ret, &size, &inner);

	return err ? problem_set(why, err, "tls: %s", inner.text) : 0;
}

static gnutls_datum_t datum(char *text)
{
	return (gnutls_datum_t){ (unsigned char *)text, (unsigned int)strlen(text) };
}

static void certificate_freep(gnutls_x509_crt_t *certificate)
{
	if (*certificate)
		gnutls_x509_crt_deinit(*certificate);
}

static void credentials_freep(gnutls_certificate_credentials_t *credentials)
{
	if (*credentials)
		gnutls_certificate_free_credentials(*credentials);
}

/* The first of the file is the server's. */
static int check_certificate(const struct config_tls *config, struct http_tls *t,
			     struct problem *why)
{
	_cleanup_(certificate_freep) gnutls_x509_crt_t certificate = NULL;
	gnutls_datum_t text = datum(t->certificate);
	time_t expires;

	if (gnutls_x509_crt_init(&certificate))
		return problem_set(why, -ENOMEM, "tls: out of memory");
	if (gnutls_x509_crt_import(certificate, &text, GNUTLS_X509_FMT_PEM))
		return problem_set(why, -EINVAL, "tls: '%s' holds no certificate in PEM",
				   config->certificate);
	expires = gnutls_x509_crt_get_expiration_time(certificate);
	t->expires = expires == (time_t)-1 ? 0 : expires;
	return 0;
}

static int check_pair(const struct config_tls *config, struct http_tls *t, struct problem *why)
{
	_cleanup_(credentials_freep) gnutls_certificate_credentials_t credentials = NULL;
	gnutls_datum_t certificate = datum(t->certificate), key = datum(t->key);
	int err;

	if (gnutls_certificate_allocate_credentials(&credentials))
		return problem_set(why, -ENOMEM, "tls: out of memory");
	err = gnutls_certificate_set_x509_key_mem(credentials, &certificate, &key,
						  GNUTLS_X509_FMT_PEM);
	if (err < 0)
		return problem_set(why, -EINVAL, "tls: key '%s' does not go with '%s': %s",
				   config->key, config->certificate, gnutls_strerror(err));
	if (!t->client_ca)
		return 0;
	certificate = datum(t->client_ca);
	err = gnutls_certificate_set_x509_trust_mem(credentials, &certificate, GNUTLS_X509_FMT_PEM);
	if (err <= 0)
		return problem_set(why, -EINVAL, "tls: client_ca '%s' holds no certificate in PEM",
				   config->client_ca);
	return 0;
}

int http_tls_load(const struct config_tls *config, struct http_tls *ret, struct problem *why)
{
	_cleanup_(http_tls_free) struct http_tls t = {};
	int err = load(config->certificate, HTTP_FILE_PUBLIC, &t.certificate, why);

	err = err ?: load(config->key, HTTP_FILE_SECRET, &t.key, why);
	if (!err && config->client_ca)
		err = load(config->client_ca, HTTP_FILE_PUBLIC, &t.client_ca, why);
	err = err ?: check_certificate(config, &t, why);
	err = err ?: check_pair(config, &t, why);
	if (err)
		return err;
	*ret = t;
	t = (struct http_tls){};
	return 0;
}

static int subject_of(gnutls_session_t session, char ret[static HTTP_SUBJECT_MAX])
{
	_cleanup_(certificate_freep) gnutls_x509_crt_t certificate = NULL;
	unsigned int status = 1, count = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
	gnutls_datum_t name = {};
	bool fits;

	if (!chain || !count)
		return 0;
	if (gnutls_certificate_verify_peers2(session, &status) || status)
		return -EPERM;
	if (gnutls_x509_crt_init(&certificate) ||
	    gnutls_x509_crt_import(certificate, chain, GNUTLS_X509_FMT_DER))
		return -EPERM;
	if (gnutls_x509_crt_get_dn3(certificate, &name, 0))
		return -EPERM;
	fits = name.size < HTTP_SUBJECT_MAX && !memchr(name.data, '\0', name.size);
	if (fits)
		snprintf(ret, HTTP_SUBJECT_MAX, "%.*s", (int)name.size, (char *)name.data);
	gnutls_free(name.data);
	return fits ? 1 : -EPERM;
}

int http_tls_subject(struct MHD_Connection *connection, char ret[static HTTP_SUBJECT_MAX])
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return info && info->tls_session ? subject_of(info->tls_session, ret) : 0;
}
