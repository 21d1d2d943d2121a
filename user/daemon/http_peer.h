/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is at the other end of a connection.
 */
#ifndef DAEMON_HTTP_PEER_H
#define DAEMON_HTTP_PEER_H

#include <sys/socket.h>

#include "core/base.h"

bool http_peer_is_loopback(const struct sockaddr *sa);

/* "192.0.2.7" or "2001:db8::7", without the port; "unknown". */
#define HTTP_PEER_ADDRESS 64
void http_peer_address(const struct sockaddr *sa, char *buf, size_t size);

/*
 * "root", or "uid 1000 (name)". Only /etc/passwd is asked: a directory service
 * that hangs must not stop the loop.
 */
void http_peer_name(uid_t uid, char *buf, size_t size);

#endif
