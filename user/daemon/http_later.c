/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/http_later.h"

#include "daemon/http_private.h"

/* Two may hold it: the request, and who has the answer. The last one frees it. */
struct http_later {
	struct http_later *next, **link; /* in http.later, until sent */
	struct exchange *x;		 /* NULL: the request is gone */
	bool sent;
	struct http_reply reply; /* if sent */
};

struct http_later *http_later(const struct http_request *rq)
{
	struct exchange *x = rq->own;
	struct http_later *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->x = x;
	l->link = &x->http->later;
	l->next = x->http->later;
	if (l->next)
		l->next->link = &l->next;
	x->http->later = l;
	x->later = l;
	return l;
}

struct http_reply *later_reply(struct http_later *l)
{
	return l->sent ? &l->reply : NULL;
}

static void later_free(struct http_later *l)
{
	http_reply_free(&l->reply);
	free(l);
}

void later_forget(struct http_later *l)
{
	if (!l)
		return;
	l->x = NULL;
	if (l->sent)
		later_free(l);
}

static void later_unlink(struct http_later *l)
{
	if (!l->link)
		return;
	*l->link = l->next;
	if (l->next)
		l->next->link = l->link;
	l->link = NULL;
}

void http_later_send(struct http_later *l, struct http_reply *reply)
{
	struct exchange *x = l->x;

	later_unlink(l);
	l->sent = true;
	l->reply = *reply;
	*reply = (struct http_reply){};
	if (!x)
		later_free(l);
	else
		exchange_resume(x);
}

void later_abandon(struct http *h)
{
	while (h->later) {
		struct http_later *l = h->later;
		struct exchange *x = l->x;

		later_unlink(l);
		if (!x)
			continue;
		l->x = NULL;
		x->later = calloc(1, sizeof(*x->later));
		if (!x->later)
			continue;
		x->later->x = x;
		x->later->sent = true;
		http_reply_problem(&x->later->reply, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
				   "moatd is stopping");
		exchange_resume(x);
	}
}
