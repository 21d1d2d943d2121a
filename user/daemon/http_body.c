/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/http_body.h"

#include <fcntl.h>
#include <sys/mman.h>

#define ROOM_MIN 16384
#define SEALS	 (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

size_t http_body_max(const struct http_body *b)
{
	return b->file ? HTTP_FILE_MAX : HTTP_BODY_MAX;
}

void http_body_drop(struct http_body *b)
{
	if (b->file)
		b->budget->files -= b->room;
	else if (b->budget)
		b->budget->bodies -= b->room;
	free(b->data);
	if (b->fd >= 0)
		close(b->fd);
	b->data = NULL;
	b->fd = -1;
	b->size = b->room = 0;
}

static void give_up(struct http_body *b)
{
	b->too_large = true;
	http_body_drop(b);
}

static int open_file(struct http_body *b)
{
	if (b->fd < 0)
		b->fd = memfd_create("moat-import", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return b->fd < 0 ? -errno : 0;
}

static void add_to_file(struct http_body *b, const char *data, size_t size)
{
	if (b->budget->files + size > HTTP_FILES_MAX || open_file(b)) {
		give_up(b);
		return;
	}
	b->budget->files += size;
	b->room += size;
	while (size) {
		ssize_t n = write(b->fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			give_up(b);
			return;
		}
		data += n;
		size -= (size_t)n;
		b->size += (size_t)n;
	}
}

static void add_to_memory(struct http_body *b, const char *data, size_t size)
{
	size_t room = b->room ? b->room : ROOM_MIN;
	char *grown;

	while (room < b->size + size)
		room *= 2;
	if (room != b->room) {
		grown = b->budget->bodies - b->room + room <= HTTP_BODIES_MAX
				? realloc(b->data, room)
				: NULL;
		if (!grown) {
			give_up(b);
			return;
		}
		b->budget->bodies += room - b->room;
		b->data = grown;
		b->room = room;
	}
	memcpy(b->data + b->size, data, size);
	b->size += size;
}

void http_body_add(struct http_body *b, const char *data, size_t size)
{
	if (b->too_large)
		return;
	if (size > http_body_max(b) - b->size)
		give_up(b);
	else if (b->file)
		add_to_file(b, data, size);
	else
		add_to_memory(b, data, size);
}

bool http_body_pass(struct http_body *b, size_t size, size_t held)
{
	if (b->too_large)
		return false;
	if (size > http_body_max(b) - b->size ||
	    b->budget->bodies - b->room + held > HTTP_BODIES_MAX) {
		give_up(b);
		return false;
	}
	b->budget->bodies += held - b->room;
	b->room = held;
	b->size += size;
	return true;
}

int http_body_seal(struct http_body *b)
{
	int err = open_file(b); /* also an empty one is a file */

	if (err)
		return err;
	if (fcntl(b->fd, F_ADD_SEALS, SEALS) || lseek(b->fd, 0, SEEK_SET))
		return -errno;
	return 0;
}
