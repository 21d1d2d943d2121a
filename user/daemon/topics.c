/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/topics.h"

struct listener {
	struct http_stream *stream;
	bool lines;
};

struct message {
	struct text event; /* as a server-sent event, its JSON line inside */
	size_t json, size; /* where that is */
};

struct topics {
	struct {
		struct listener listener[HTTP_STREAMS_MAX];
		size_t listeners;
		struct message last;
	} topic[TOPICS_MAX];
};

static const char *const labels[TOPICS_MAX] = {
#define X(name, label) [TOPIC_##name] = label,
	TOPICS(X)
#undef X
};

int topics_new(struct topics **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

struct topics *topics_free(struct topics *t)
{
	for (enum topic i = 0; t && i < TOPICS_MAX; i++)
		text_free(&t->topic[i].last.event);
	free(t);
	return NULL;
}

int topics_find(const char *label)
{
	for (int i = 0; i < TOPICS_MAX; i++)
		if (strcmp(labels[i], label) == 0)
			return i;
	return -ENOENT;
}

size_t topics_listeners(const struct topics *t, enum topic topic)
{
	return t ? t->topic[topic].listeners : 0;
}

static void send_to(const struct listener *to, const struct message *m)
{
	if (m->event.failed || !m->event.size)
		return;
	if (to->lines) /* with its line's end */
		http_stream_add(to->stream, m->event.data + m->json, m->size + 1);
	else
		http_stream_add(to->stream, m->event.data, m->event.size);
}

void topics_publish(struct topics *t, enum topic topic, const char *json, size_t size)
{
	struct message *m = t ? &t->topic[topic].last : NULL;

	if (!m)
		return;
	text_free(&m->event);
	text_add(&m->event, "event: %s\ndata: ", labels[topic]);
	m->json = m->event.size;
	m->size = size;
	text_add(&m->event, "%.*s\n\n", (int)size, json);
	for (size_t i = 0; i < t->topic[topic].listeners; i++)
		send_to(&t->topic[topic].listener[i], m);
}

int topics_join(struct topics *t, enum topic topic, struct http_stream *stream, bool lines)
{
	struct listener *to;

	if (!t || t->topic[topic].listeners == HTTP_STREAMS_MAX)
		return -EBUSY;
	to = &t->topic[topic].listener[t->topic[topic].listeners];
	t->topic[topic].listeners++;
	*to = (struct listener){ stream, lines };
	send_to(to, &t->topic[topic].last);
	return 0;
}

void topics_leave(struct topics *t, const struct http_stream *stream)
{
	for (enum topic topic = 0; t && topic < TOPICS_MAX; topic++) {
		struct listener *list = t->topic[topic].listener;
		size_t *count = &t->topic[topic].listeners;

		for (size_t i = 0; i < *count; i++)
			if (list[i].stream == stream)
				list[i--] = list[--*count];
	}
}
