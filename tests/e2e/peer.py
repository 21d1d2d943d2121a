#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two ends of a conversation, for the wire tests.

peer.py serve ADDRESS PORT...           answers on TCP and UDP; prints "ready", ends with SIGTERM
peer.py ask tcp|udp ADDRESS PORT [-n N] [-b ADDRESS] [-p PORT] [-t SECONDS]
                                        asks N times, from that address and port; exit 0 if each was answered
peer.py hold ADDRESS PORT [-t SECONDS]  a TCP connection: prints "open", then asks once for each line of
                                        standard input and prints "answered" or "silent"
peer.py scatter ADDRESS N               a UDP datagram from each of N ports
"""
import argparse
import selectors
import socket
import sys

QUESTION = b"are you there\n"


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve(address, ports):
    watch = selectors.DefaultSelector()
    for port in ports:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            s = socket.socket(family(address), kind)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((address, port))
            if kind == socket.SOCK_STREAM:
                s.listen(64)
            watch.register(s, selectors.EVENT_READ, kind)
    print("ready", flush=True)
    while True:
        for key, _ in watch.select():
            s = key.fileobj
            if key.data == socket.SOCK_STREAM:
                watch.register(s.accept()[0], selectors.EVENT_READ, None)
            elif key.data == socket.SOCK_DGRAM:
                data, who = s.recvfrom(2048)
                s.sendto(data, who)
            else:
                try:
                    data = s.recv(2048)
                    s.sendall(data)
                except OSError:
                    data = b""
                if not data:
                    watch.unregister(s)
                    s.close()


def client(kind, a):
    s = socket.socket(family(a.address), kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.settimeout(a.t)
    if a.b or a.p:
        s.bind((a.b or "", a.p))
    s.connect((a.address, a.port))
    return s


def answered(s):
    try:
        s.send(QUESTION)
        return s.recv(2048) == QUESTION
    except OSError:
        return False


def ask(a):
    for _ in range(a.n):
        try:
            with client(socket.SOCK_STREAM if a.kind == "tcp" else socket.SOCK_DGRAM, a) as s:
                good = answered(s)
        except OSError:
            good = False
        if not good:
            return 1
    return 0


def hold(a):
    with client(socket.SOCK_STREAM, a) as s:
        print("open", flush=True)
        for _ in sys.stdin:
            print("answered" if answered(s) else "silent", flush=True)
    return 0


def scatter(a):
    for number in range(a.n):
        with socket.socket(family(a.address), socket.SOCK_DGRAM) as s:
            s.sendto(QUESTION, (a.address, 1024 + number % 50000))
    return 0


def main():
    p = argparse.ArgumentParser()
    verbs = p.add_subparsers(dest="verb", required=True)
    v = verbs.add_parser("serve")
    v.add_argument("address")
    v.add_argument("ports", type=int, nargs="+")
    for name in ("ask", "hold"):
        v = verbs.add_parser(name)
        if name == "ask":
            v.add_argument("kind", choices=("tcp", "udp"))
        v.add_argument("address")
        v.add_argument("port", type=int)
        v.add_argument("-n", type=int, default=1)
        v.add_argument("-b")
        v.add_argument("-p", type=int, default=0)
        v.add_argument("-t", type=float, default=2)
    v = verbs.add_parser("scatter")
    v.add_argument("address")
    v.add_argument("n", type=int)
    a = p.parse_args()
    if a.verb == "serve":
        return serve(a.address, a.ports)
    return {"ask": ask, "hold": hold, "scatter": scatter}[a.verb](a)


if __name__ == "__main__":
    sys.exit(main())
