/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference model's part on replies: what this host opened, and what
 * answers it.
 */
#include <string.h>

#include "tests/prog/reference_view.h"

#define SECONDS 1000000000ULL
#define ERRORS	16 /* of a flow that pass until its next packet leaves */

/* The ports of a packet that belongs to a flow: from and to. An echo has its identifier for both. */
struct ends {
	bool known;
	bool opens; /* it can be the first of a flow */
	bool echo;
	uint16_t from, to;
	uint8_t flags; /* TCP */
};

static void read_ends(const uint8_t *f, size_t size, const struct view *v, bool whole,
		      struct ends *ret)
{
	const uint8_t *at = f + v->transport;
	uint8_t ping = v->family == MOAT_IPV4 ? 8 : 128, pong = v->family == MOAT_IPV4 ? 0 : 129;

	*ret = (struct ends){ .known = false };
	if (!v->has_port || !v->has_destination)
		return;
	if (v->protocol == 6 || v->protocol == 17) {
		ret->known = true;
		ret->from = view_read16(at);
		ret->to = view_read16(at + 2);
	}
	if (v->protocol == 6 && whole) {
		ret->known = v->transport + 14 <= size;
		ret->flags = ret->known ? at[13] : 0;
	}
	if (v->protocol == (v->family == MOAT_IPV4 ? 1 : 58) && (at[0] == ping || at[0] == pong)) {
		ret->known = v->transport + 6 <= size;
		ret->echo = true;
		ret->opens = at[0] == ping;
		ret->from = ret->to = ret->known ? view_read16(at + 4) : 0;
	}
}

static struct reference_flow *find_flow(struct reference *r, const struct view *v,
					const uint8_t *here, const uint8_t *there,
					uint16_t here_port, uint16_t there_port)
{
	size_t bytes = v->family == MOAT_IPV4 ? 4 : 16;

	for (size_t i = 0; i < r->flows; i++) {
		struct reference_flow *flow = &r->flow[i];

		if (flow->family == v->family && flow->protocol == v->protocol &&
		    !memcmp(flow->here, here, bytes) && !memcmp(flow->there, there, bytes) &&
		    flow->here_port == here_port && flow->there_port == there_port)
			return flow;
	}
	return NULL;
}

static void open_flow(struct reference *r, struct reference_flow *flow, const struct view *v,
		      const struct ends *e, uint64_t ends)
{
	if (!flow && r->flows == REFERENCE_FLOWS)
		return;
	if (!flow)
		flow = &r->flow[r->flows++];
	*flow = (struct reference_flow){
		.protocol = v->protocol,
		.family = v->family,
		.here_port = e->from,
		.there_port = e->to,
		.ends = ends,
	};
	memcpy(flow->here, v->source, sizeof(flow->here));
	memcpy(flow->there, v->destination, sizeof(flow->there));
}

static void leave_tcp(struct reference *r, struct reference_flow *flow, const struct view *v,
		      const struct ends *e, uint64_t now)
{
	bool fin = e->flags & 1, syn = e->flags & 2, rst = e->flags & 4, ack = e->flags & 16;

	if (syn && !ack && !rst) {
		open_flow(r, flow, v, e, now + 120 * SECONDS);
	} else if (flow && (syn || rst)) { /* it is the peer's, or over */
		*flow = r->flow[--r->flows];
	} else if (flow) {
		flow->closing = flow->closing || fin;
		flow->errors = 0;
		flow->ends = now + (flow->closing ? 120 : 3600) * SECONDS;
	}
}

void reference_leave(struct reference *r, uint64_t now, const uint8_t *frame, size_t size)
{
	struct reference_flow *flow;
	struct ends e;
	struct view v;

	view_read_frame(frame, size, &v);
	if (v.early)
		return;
	read_ends(frame, size, &v, true, &e);
	if (!e.known)
		return;
	flow = find_flow(r, &v, v.source, v.destination, e.from, e.to);
	if (v.protocol == 6)
		leave_tcp(r, flow, &v, &e, now);
	else if (e.echo && e.opens)
		open_flow(r, flow, &v, &e, now + 30 * SECONDS);
	else if (v.protocol == 17 && e.from >= REFERENCE_CLIENT_FIRST &&
		 e.from <= REFERENCE_CLIENT_LAST)
		open_flow(r, flow, &v, &e, now + 60 * SECONDS);
}

/* The IP packet that an ICMP error quotes. False if this is no such error. */
static bool read_quoted(const uint8_t *f, size_t size, const struct view *v, struct view *ret)
{
	static const uint8_t errors4[] = { 3, 11, 12 }, errors6[] = { 1, 2, 3, 4 };
	bool ip4 = v->family == MOAT_IPV4;
	bool error = false;

	if (!v->has_port || v->protocol != (ip4 ? 1 : 58))
		return false;
	for (size_t i = 0; i < sizeof(errors4); i++)
		error = error || (ip4 && v->port == errors4[i]);
	for (size_t i = 0; i < sizeof(errors6); i++)
		error = error || (!ip4 && v->port == errors6[i]);
	if (!error)
		return false;
	*ret = (struct view){ .family = v->family, .ip = v->transport + 8 };
	if (ip4)
		view_read_ipv4(f, size, ret);
	else
		view_read_ipv6(f, size, ret);
	if (ret->early)
		ret->has_port = false;
	return true;
}

bool reference_is_reply(struct reference *r, uint64_t now, const uint8_t *f, size_t size,
			const struct view *v)
{
	struct reference_flow *flow;
	struct view quoted;
	struct ends e;

	if (read_quoted(f, size, v, &quoted)) { /* it went from here */
		read_ends(f, size, &quoted, false, &e);
		if (!e.known || (e.echo && !e.opens) ||
		    memcmp(v->destination, quoted.source, v->family == MOAT_IPV4 ? 4 : 16) != 0)
			return false;
		flow = find_flow(r, &quoted, quoted.source, quoted.destination, e.from, e.to);
		return flow && now <= flow->ends && flow->errors++ < ERRORS;
	} else {
		read_ends(f, size, v, true, &e);
		if (!e.known || (e.echo && e.opens) || (e.flags & 18) == 2)
			return false;
		flow = find_flow(r, v, v->destination, v->source, e.to, e.from);
	}
	return flow && now <= flow->ends;
}
