/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/http_socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define HOST_MAX       256
#define SOCKET_TYPE    (SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)
#define SOCKET_MODE    0660
#define DIRECTORY_MODE 0755

/* "[::1]:9911" to "::1" and "9911". */
static int split_address(const char *address, char host[static HOST_MAX], const char **ret_port)
{
	const char *colon = strrchr(address, ':');
	size_t len;

	if (!colon || !colon[1])
		return -EINVAL;
	len = (size_t)(colon - address);
	if (len >= 2 && address[0] == '[' && colon[-1] == ']') {
		address++;
		len -= 2;
	} else if (memchr(address, ':', len)) {
		return -EINVAL; /* IPv6 without brackets: which colon is the port's? */
	}
	if (len == 0 || len >= HOST_MAX)
		return -EINVAL;
	memcpy(host, address, len);
	host[len] = '\0';
	*ret_port = colon + 1;
	return 0;
}

static int bind_tcp(const struct addrinfo *ai, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	int on = 1;

	fd = socket(ai->ai_family, SOCKET_TYPE, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		return -errno;
	/* [::] means IPv6 alone, so that 0.0.0.0 can be another listener's. */
	if (ai->ai_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)))
		return -errno;
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, HTTP_BACKLOG))
		return -errno;
	*ret_fd = take_fd(fd);
	return 0;
}

static void freeaddrinfop(struct addrinfo **ai)
{
	if (*ai)
		freeaddrinfo(*ai);
}

int http_listen_tcp(const char *address, int *ret_fd, struct problem *why)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	_cleanup_(freeaddrinfop) struct addrinfo *found = NULL;
	char host[HOST_MAX];
	const char *port;
	int err;

	err = split_address(address, host, &port);
	if (err)
		return problem_set(why, err,
				   "listen '%s': not HOST:PORT or [IPV6]:PORT; change 'listen'",
				   address);
	err = getaddrinfo(host, port, &hints, &found);
	if (err)
		return problem_set(why, -EINVAL, "listen '%s': %s; change 'listen'", address,
				   gai_strerror(err));
	err = bind_tcp(found, ret_fd);
	if (err == -EADDRINUSE)
		return problem_set(why, err,
				   "listen '%s': in use by another program, perhaps another moatd; "
				   "stop it or change 'listen'",
				   address);
	if (err)
		return problem_set(why, err, "listen '%s': %s; change 'listen' or set it to none",
				   address, strerror(-err));
	return 0;
}

static int make_directory(const char *path, struct problem *why)
{
	_cleanup_free_ char *dir = strdup(path);
	char *slash;

	if (!dir)
		return -ENOMEM;
	slash = strrchr(dir, '/');
	if (!slash || slash == dir)
		return 0;
	*slash = '\0';
	if (mkdir(dir, DIRECTORY_MODE) && errno != EEXIST)
		return problem_set(why, -errno, "socket '%s': cannot make its directory '%s': %s",
				   path, dir, strerror(errno));
	return 0;
}

/* Takes away a socket that nobody answers on. */
static int clear_path(const char *path, const struct sockaddr_un *sun, struct problem *why)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (lstat(path, &st)) {
		if (errno == ENOENT)
			return 0;
		return problem_set(why, -errno, "socket '%s': %s", path, strerror(errno));
	}
	if (!S_ISSOCK(st.st_mode))
		return problem_set(why, -EADDRINUSE,
				   "socket '%s': something that is not a socket is there; move it "
				   "away or change 'socket'",
				   path);
	fd = socket(AF_UNIX, SOCKET_TYPE, 0);
	if (fd < 0)
		return problem_set(why, -errno, "socket '%s': %s", path, strerror(errno));
	/* EAGAIN is a full backlog: somebody listens, if slowly. */
	if (connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == 0 || errno == EAGAIN)
		return problem_set(why, -EADDRINUSE,
				   "socket '%s': another moatd answers there; stop it or change "
				   "'socket' and 'pins'",
				   path);
	if (errno != ECONNREFUSED)
		return problem_set(why, -errno, "socket '%s': %s", path, strerror(errno));
	if (unlink(path) && errno != ENOENT)
		return problem_set(why, -errno, "socket '%s': cannot replace a stale one: %s", path,
				   strerror(errno));
	return 0;
}

int http_listen_unix(const char *path, int *ret_fd, struct problem *why)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;
	mode_t mask;
	int err;

	if (strlen(path) >= sizeof(sun.sun_path))
		return problem_set(why, -ENAMETOOLONG, "socket '%s': longer than %zu characters",
				   path, sizeof(sun.sun_path) - 1);
	memcpy(sun.sun_path, path, strlen(path) + 1);

	err = make_directory(path, why);
	if (err)
		return err;
	err = clear_path(path, &sun, why);
	if (err)
		return err;
	fd = socket(AF_UNIX, SOCKET_TYPE, 0);
	if (fd < 0)
		return problem_set(why, -errno, "socket '%s': %s", path, strerror(errno));
	/* The mode is there from the start: chmod() later would leave a moment. */
	mask = umask(0777 & ~SOCKET_MODE);
	err = bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) ? -errno : 0;
	umask(mask);
	if (!err && listen(fd, HTTP_BACKLOG))
		err = -errno;
	if (err)
		return problem_set(why, err, "socket '%s': %s", path, strerror(-err));
	*ret_fd = take_fd(fd);
	return 0;
}
