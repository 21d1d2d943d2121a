#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
r"""A web server of feeds for the wire tests, which behaves as it is told.

    feed_server.py DIRECTORY PORT [CERTIFICATE KEY]

Serves DIRECTORY/NAME with an ETag and answers 304 to who has it. What is in
DIRECTORY/NAME.how, one line, changes that from the next request on:

    good              the list
    slowly SECONDS    the list in 64 pieces, over so long
    status N [AFTER]  status N with a page of HTML; AFTER is sent as Retry-After
    page              status 200 with a page of HTML
    cut               half of the list, then the connection ends
    chunked-cut       the same of a list without a length
    endless           a list without an end
    bomb              gzip of a gigabyte of one line
    loop              redirects to itself
    plain URL         redirects to URL
    loris             a byte of a header every half second, for ever
    silent            accepts, and says nothing

DIRECTORY/log gets a line for each request: path, status or behaviour, and
"conditional" if it asked whether the list changed. Everything of a test's own:
loopback, and it ends with the test.
"""
import hashlib
import http.server
import select
import ssl
import sys
import time
import zlib

PAGE = b"<!DOCTYPE html><html><body><h1>500 Internal Server Error</h1></body></html>\n"
PIECES = 64
BOMB_MIB = 1024
FOREVER = 600  # seconds; the test is over long before


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = FOREVER

    def log_message(self, *_):
        pass

    def pause(self, seconds):
        """False once the client is gone."""
        ready, _, _ = select.select([self.connection], [], [], seconds)
        return not ready

    def note(self, what):
        conditional = " conditional" if self.headers.get("If-None-Match") else ""
        with open(f"{DIRECTORY}/log", "a", encoding="utf-8") as log:
            log.write(f"{self.path} {what}{conditional}\n")

    def head(self, status, *headers):
        self.note(status)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.close_connection = True
        self.end_headers()

    def page(self, status, *headers):
        self.head(status, ("Content-Type", "text/html"), ("Content-Length", str(len(PAGE))), *headers)
        self.wfile.write(PAGE)

    def list(self, body, seconds=0.0):
        tag = '"' + hashlib.sha256(body).hexdigest()[:32] + '"'
        if self.headers.get("If-None-Match") == tag:
            self.head(304, ("ETag", tag))
            return
        self.head(200, ("ETag", tag), ("Content-Length", str(len(body))))
        step = len(body) if not seconds else max(1, len(body) // PIECES)
        for at in range(0, len(body), step or 1):
            self.wfile.write(body[at:at + step])
            if seconds and not self.pause(seconds / PIECES):
                return

    def cut(self, body, chunked):
        half = body[:len(body) // 2]
        if chunked:
            self.head(200, ("Transfer-Encoding", "chunked"))
            self.wfile.write(b"%x\r\n" % len(body) + half)
        else:
            self.head(200, ("Content-Length", str(len(body))))
            self.wfile.write(half)

    def endless(self):
        self.head(200, ("Content-Type", "text/plain"))
        block = "".join(f"NET{n >> 8}.{n & 255}\n" for n in range(65536)).encode()
        for n in range(1 << 30):
            self.wfile.write(block.replace(b"NET", b"%d.%d." % (20 + (n >> 8) % 80, n & 255)))

    def bomb(self):
        self.head(200, ("Content-Type", "application/gzip"))
        pack = zlib.compressobj(9, zlib.DEFLATED, 31)
        block = b"192.0.2.1\n" * 104858
        for _ in range(BOMB_MIB):
            self.wfile.write(pack.compress(block))
        self.wfile.write(pack.flush())

    def loris(self):
        self.note("loris")
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while self.pause(0.5):
            self.wfile.write(b"a")

    def do_GET(self):
        name = self.path.lstrip("/").split("?")[0]
        try:
            with open(f"{DIRECTORY}/{name}.how", encoding="utf-8") as file:
                how = file.read().split() or ["good"]
        except FileNotFoundError:
            how = ["good"]
        try:
            with open(f"{DIRECTORY}/{name}", "rb") as file:
                body = file.read()
        except FileNotFoundError:
            self.page(404)
            return
        word, rest = how[0], how[1:]
        if word == "good":
            self.list(body)
        elif word == "slowly":
            self.list(body, float(rest[0]))
        elif word == "status":
            self.page(int(rest[0]), *[("Retry-After", after) for after in rest[1:]])
        elif word == "page":
            self.page(200)
        elif word in ("cut", "chunked-cut"):
            self.cut(body, word == "chunked-cut")
        elif word == "endless":
            self.endless()
        elif word == "bomb":
            self.bomb()
        elif word == "loop":
            self.head(302, ("Location", self.path), ("Content-Length", "0"))
        elif word == "plain":
            self.head(302, ("Location", rest[0]), ("Content-Length", "0"))
        elif word == "loris":
            self.loris()
        else:
            self.note(word)
            self.pause(FOREVER)

    def handle(self):
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass


DIRECTORY = sys.argv[1]
server = Server(("127.0.0.1", int(sys.argv[2])), Handler)
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print("ready", flush=True)
server.serve_forever()
