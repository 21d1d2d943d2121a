/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET /api/v1/openapi.json: what the API promises, as openapi.json beside this
 * file says it. tests/unit/test_daemon_api_openapi.c compares it with the table
 * of routes, tests/e2e/test_openapi.sh with what is really answered.
 */
#include "daemon/api.h"

/* clang-format off */
__asm__(".section .rodata\n"
	".balign 8\n"
	"openapi_document:\n"
	"	.incbin \"user/daemon/openapi.json\"\n"
	"openapi_document_end:\n"
	"	.byte 0\n"
	".previous\n");
/* clang-format on */

extern const char openapi_document[], openapi_document_end[];

void api_openapi(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	(void)d;
	(void)rq;
	reply->type = HTTP_JSON;
	reply->fixed = openapi_document;
	reply->fixed_size = (size_t)(openapi_document_end - openapi_document);
}
