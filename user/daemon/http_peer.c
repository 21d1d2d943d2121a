/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/http_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>

bool http_peer_is_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)sa;

		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	}
	if (sa->sa_family == AF_INET6) {
		const struct in6_addr *a = &((const struct sockaddr_in6 *)sa)->sin6_addr;

		return IN6_IS_ADDR_LOOPBACK(a) ||
		       (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
	}
	return false;
}

void http_peer_address(const struct sockaddr *sa, char *buf, size_t size)
{
	const void *address = NULL;

	if (sa && sa->sa_family == AF_INET)
		address = &((const struct sockaddr_in *)sa)->sin_addr;
	else if (sa && sa->sa_family == AF_INET6)
		address = &((const struct sockaddr_in6 *)sa)->sin6_addr;
	if (!address || !inet_ntop(sa->sa_family, address, buf, (socklen_t)size))
		snprintf(buf, size, "unknown");
}

void http_peer_name(uid_t uid, char *buf, size_t size)
{
	_cleanup_fclose_ FILE *f = NULL;
	struct passwd pw, *found;
	char line[1024];

	snprintf(buf, size, uid == 0 ? "root" : "uid %u", (unsigned int)uid);
	if (uid == 0)
		return;
	f = fopen("/etc/passwd", "re");
	while (f && fgetpwent_r(f, &pw, line, sizeof(line), &found) == 0) {
		if (pw.pw_uid == uid) {
			snprintf(buf, size, "uid %u (%.32s)", (unsigned int)uid, pw.pw_name);
			return;
		}
	}
}
