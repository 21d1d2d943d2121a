/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/discover_resolver.h"

#include <arpa/inet.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/socket.h>

#define LINKS_MAX 8

static const char *const files[] = {
	"/etc/resolv.conf",
	/* Behind systemd-resolved's address on the loopback. */
	"/run/systemd/resolve/resolv.conf",
};

static void read_file(struct finds *f, const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		char address[64];
		struct in6_addr v6;
		struct in_addr v4;

		if (sscanf(line, " nameserver %63[^ \t\r\n%%]", address) != 1)
			continue;
		if (inet_pton(AF_INET, address, &v4) == 1)
			finds_add_address(f, AF_INET, &v4, sizeof(v4));
		else if (inet_pton(AF_INET6, address, &v6) == 1)
			finds_add_address(f, AF_INET6, &v6, sizeof(v6));
	}
}

void discover_resolvers(struct finds *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		read_file(f, files[i]);
}

/* ---- noticing that they change ---- */

#define DIRECTORY_EVENTS                                                                           \
	(IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF |   \
	 IN_MOVE_SELF | IN_ONLYDIR | IN_MASK_ADD)
#define FILE_EVENTS (IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF | IN_MASK_ADD)

static int watch(struct resolver_watch *w, const char *path, uint32_t events, const char *name)
{
	int wd;

	if (w->count == RESOLVER_WATCHES || strlen(name) >= sizeof(w->at[0].name))
		return -E2BIG;
	wd = inotify_add_watch(w->fd, path, events);
	if (wd < 0)
		return -errno;
	w->at[w->count].wd = wd;
	snprintf(w->at[w->count++].name, sizeof(w->at[0].name), "%s", name);
	return 0;
}

/* Waits for the name in its directory; where that is missing, for it in its own, and so on. */
static int watch_place(struct resolver_watch *w, const char *path)
{
	char place[PATH_MAX];
	int err = -ENOENT;

	snprintf(place, sizeof(place), "%s", path);
	while (err == -ENOENT || err == -ENOTDIR) {
		char *slash = strrchr(place, '/');

		if (!slash)
			return err;
		*slash = '\0';
		err = watch(w, slash == place ? "/" : place, DIRECTORY_EVENTS, slash + 1);
		if (slash == place)
			break;
	}
	return err;
}

/* Where a link points to, in place of its own path. False: it is none. */
static bool follow_link(char path[static PATH_MAX])
{
	char target[PATH_MAX], joined[2 * PATH_MAX];
	ssize_t size = readlink(path, target, sizeof(target) - 1);
	const char *slash = strrchr(path, '/');

	if (size <= 0 || !slash)
		return false;
	target[size] = '\0';
	if (target[0] == '/')
		snprintf(joined, sizeof(joined), "%s", target);
	else
		snprintf(joined, sizeof(joined), "%.*s/%s", (int)(slash - path), path, target);
	if (strlen(joined) >= PATH_MAX)
		return false;
	memcpy(path, joined, strlen(joined) + 1);
	return true;
}

static int watch_file(struct resolver_watch *w, const char *file)
{
	char path[PATH_MAX];
	int links = 0, err;

	snprintf(path, sizeof(path), "%s", file);
	do
		err = watch_place(w, path);
	while (!err && ++links <= LINKS_MAX && follow_link(path));
	if (!err && watch(w, path, FILE_EVENTS, "") == -ENOSPC)
		err = -ENOSPC;
	return err;
}

int resolver_watch_begin(struct resolver_watch *w)
{
	int err = 0;

	resolver_watch_end(w);
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(files) && !err; i++)
		err = watch_file(w, files[i]);
	return err;
}

void resolver_watch_end(struct resolver_watch *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	w->count = 0;
}

static bool is_ours(const struct resolver_watch *w, const struct inotify_event *event)
{
	if (event->mask & (IN_Q_OVERFLOW | IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF))
		return true;
	for (size_t i = 0; i < w->count; i++)
		if (w->at[i].wd == event->wd &&
		    !strcmp(w->at[i].name, event->len ? event->name : ""))
			return true;
	return false;
}

bool resolver_watch_changed(struct resolver_watch *w)
{
	_Alignas(struct inotify_event) char buffer[4096];
	bool changed = false;
	ssize_t size;

	while ((size = read(w->fd, buffer, sizeof(buffer))) > 0) {
		const struct inotify_event *event;

		for (char *at = buffer; at < buffer + size; at += sizeof(*event) + event->len) {
			event = (const struct inotify_event *)at;
			changed |= is_ours(w, event);
		}
	}
	return changed;
}
