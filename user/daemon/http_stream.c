/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/http_stream.h"

#include <microhttpd.h>
#include <time.h>

#define ROOM_FIRST 4096
#define BLOCK	   (64 * 1024) /* handed to libmicrohttpd at a time */
#define LOOK_MS	   1000	       /* between looks for quiet streams */
#define SHRINK_OVER                                                                                \
	(64 * 1024) /* a queue that has been larger and is empty gives back its memory */

struct http_stream {
	struct http_streams *all;
	struct http_stream *next, **link;
	struct http_stream_kind kind;
	struct MHD_Connection *connection; /* NULL: the answer is not sent yet */
	bool suspended;			   /* waits for something to send */
	bool over;			   /* the client was sent away */
	int64_t last;			   /* monotonic ms: when something was added */
	char *data;			   /* owned; from start to end waits for the client */
	size_t start, end, size;
};

struct http_streams {
	struct loop *loop;
	int timer;
	struct http_stream *first;
	size_t count;
	bool ending;
	void (*resumed)(void *arg);
	void *arg;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* ---- one stream ---- */

static void wake(struct http_stream *s)
{
	if (!s->suspended)
		return;
	s->suspended = false;
	MHD_resume_connection(s->connection);
	if (s->all->resumed)
		s->all->resumed(s->all->arg);
}

void http_stream_drop(struct http_stream *s)
{
	if (!s)
		return;
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	s->all->count--;
	if (s->kind.closed)
		s->kind.closed(s->kind.arg);
	free(s->data);
	free(s);
}

struct http_stream *http_stream_new(struct http_streams *all, const struct http_stream_kind *kind,
				    struct http_reply *reply)
{
	struct http_stream *s = NULL;

	if (all->count < HTTP_STREAMS_MAX && !all->ending)
		s = calloc(1, sizeof(*s));
	if (!s) {
		http_reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
				   "%zu streams are open, no more are served at once: try again later",
				   all->count);
		http_reply_header(reply, MHD_HTTP_HEADER_RETRY_AFTER, "%d", HTTP_STREAM_RETRY);
		return NULL;
	}
	s->all = all;
	s->kind = *kind;
	if (s->kind.room > HTTP_STREAM_ROOM)
		s->kind.room = HTTP_STREAM_ROOM;
	s->last = now_ms();
	s->next = all->first;
	s->link = &all->first;
	if (s->next)
		s->next->link = &s->next;
	all->first = s;
	all->count++;
	reply->type = kind->type;
	reply->stream = s;
	return s;
}

size_t http_stream_room(const struct http_stream *s)
{
	return s->kind.room - (s->end - s->start);
}

/* Room for so many bytes behind s->end. */
static bool make_room(struct http_stream *s, size_t size)
{
	size_t waiting = s->end - s->start;
	size_t wanted = s->size ? s->size : ROOM_FIRST;
	char *data;

	if (size <= s->size - s->end)
		return true;
	if (s->start && waiting) /* what was sent makes room first */
		memmove(s->data, s->data + s->start, waiting);
	s->start = 0;
	s->end = waiting;
	if (size <= s->size - s->end)
		return true;
	while (wanted - waiting < size)
		wanted *= 2;
	data = realloc(s->data, wanted);
	if (!data)
		return false;
	s->data = data;
	s->size = wanted;
	return true;
}

bool http_stream_add(struct http_stream *s, const void *data, size_t size)
{
	if (size > http_stream_room(s) || !make_room(s, size))
		return false;
	memcpy(s->data + s->end, data, size);
	s->end += size;
	s->last = now_ms();
	wake(s);
	return true;
}

/* libmicrohttpd asks for bytes; without any the connection sleeps until wake(). */
static ssize_t read_stream(void *cls, uint64_t position, char *buf, size_t max)
{
	struct http_stream *s = cls;
	size_t size = s->end - s->start;

	(void)position;
	if (s->over)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (!size && s->all->ending)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (!size) {
		if (s->size > SHRINK_OVER) {
			free(s->data);
			s->data = NULL;
			s->size = s->start = s->end = 0;
		}
		s->suspended = true;
		MHD_suspend_connection(s->connection);
		return 0;
	}
	if (size > max)
		size = max;
	memcpy(buf, s->data + s->start, size);
	s->start += size;
	return (ssize_t)size;
}

void http_streams_end(struct http_streams *all, const struct MHD_Connection *connection)
{
	for (struct http_stream *s = all->first; s; s = s->next) {
		if (s->connection != connection)
			continue;
		s->over = true;
		wake(s);
	}
}

static void end_stream(void *cls)
{
	http_stream_drop(cls);
}

struct MHD_Response *http_stream_response(struct http_stream *s, struct MHD_Connection *connection)
{
	struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK,
									  read_stream, s,
									  end_stream);

	if (!response) {
		http_stream_drop(s);
		return NULL;
	}
	s->connection = connection;
	return response;
}

/* ---- all of them ---- */

static void look(void *arg)
{
	struct http_streams *all = arg;
	int64_t now = now_ms();

	for (struct http_stream *s = all->first; s; s = s->next)
		if (s->kind.heartbeat && now - s->last >= HTTP_STREAM_BEAT * 1000LL)
			http_stream_add(s, s->kind.heartbeat, strlen(s->kind.heartbeat));
}

int http_streams_new(struct loop *loop, struct http_streams **ret)
{
	_cleanup_(http_streams_freep) struct http_streams *all = calloc(1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	all->loop = loop;
	all->timer = loop_timer(loop, LOOK_MS, LOOK_MS, look, all);
	if (all->timer < 0)
		return all->timer;
	*ret = take_ptr(all);
	return 0;
}

struct http_streams *http_streams_free(struct http_streams *all)
{
	if (!all)
		return NULL;
	if (all->timer > 0)
		loop_timer_remove(all->loop, all->timer);
	while (all->first) /* answers that the server dropped without a word */
		http_stream_drop(all->first);
	free(all);
	return NULL;
}

size_t http_streams_count(const struct http_streams *all)
{
	return all ? all->count : 0;
}

void http_streams_serve(struct http_streams *all, void (*resumed)(void *arg), void *arg)
{
	if (!all)
		return;
	all->ending = !resumed;
	for (struct http_stream *s = all->first; all->ending && s; s = s->next)
		wake(s); /* the last word to the one it was told to before */
	all->resumed = resumed;
	all->arg = arg;
}
