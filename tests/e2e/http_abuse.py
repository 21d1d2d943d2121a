#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Clients that mean no good, all at once, and one that does.

http_abuse.py ADDRESS PORT SECONDS TOKEN EXPIRED

Prints "ready", and "all_judged" when each malformed request was answered once;
then, when the time is over or a line comes on standard input, a line "NAME VALUE"
for each thing that was counted. A status that nobody should get makes "got_in"
more than 0.
"""
import asyncio
import collections
import itertools
import os
import resource
import socket
import statistics
import sys
import time

ADDRESS, PORT, SECONDS = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
TOKEN, EXPIRED = sys.argv[4], sys.argv[5]
WRONG = "moat_" + "A" * 43

IDLE, TRICKLE, READERS, DASHBOARDS = 2000, 100, 40, 1000
count = collections.Counter()
asked = []

GET = "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n"
POST = "POST /api/v1/listings HTTP/1.1\r\nHost: localhost\r\n%s\r\n"


def get(path, *headers):
    return (GET % (path, "".join(h + "\r\n" for h in headers))).encode()


def post(*headers, body=b""):
    return (POST % "".join(h + "\r\n" for h in headers)).encode() + body


def bearer(token):
    return "Authorization: Bearer " + token


# What is sent, and the statuses that may come back; 0: closed without an answer.
MALFORMED = [
    (b"\r\n\r\n\r\n\r\n", {0, 400}),
    (b"GET\r\n\r\n", {0, 400}),
    (b"GET /api/v1/status\r\n\r\n", {0, 400, 505}),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64, {0, 400}),
    (b"\x00" * 1000 + b"\r\n\r\n", {0, 400}),
    (b"GET /healthz HTTP/7.3\r\nHost: x\r\n\r\n", {0, 400, 505}),
    (b"GET /healthz HTTP/1.1\r\n\r\n", {400}),
    (b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", {0, 400, 414, 431, 413}),
    (b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 20000 + b"\r\n", {0, 400, 413, 431}),
    (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200000 + b"\r\n\r\n", {0, 400, 413, 431}),
    (get("/healthz", "Host: y"), {400}),
    (get("/api/v1/status", "Content-Length: 5") + b"12345", {400}),
    (get("/api/v1/status", "Transfer-Encoding: chunked") + b"0\r\n\r\n", {400}),
    (post("Content-Length: 5", "Transfer-Encoding: chunked", bearer(TOKEN)) + b"0\r\n\r\n", {400}),
    (post("Content-Length: 5", "Content-Length: 6", bearer(TOKEN)) + b"123456", {400}),
    (post("Content-Length: -5", bearer(TOKEN)), {0, 400, 413}),
    (post("Content-Length: 99999999999999999999", bearer(TOKEN)), {0, 400, 413}),
    (post("Content-Length: 33554433", bearer(TOKEN)), {413}),
    (post("Content-Length: 1000000000"), {401}),
    (post("Transfer-Encoding: chunked", bearer(TOKEN)) + b"zz\r\n", {0, 400}),
    (post("Transfer-Encoding: chunked", bearer(TOKEN)) + b"ffffffffffffffffff\r\n", {0, 400, 413}),
    (post("Content-Length: 9", "Content-Type: application/json", bearer(TOKEN), body=b'{"source"'), {400}),
    (post("Content-Length: 2", "Content-Type: application/json", bearer(TOKEN), body=b"[{"), {400}),
    (post("Content-Length: 20000", "Content-Type: application/json", bearer(TOKEN), body=b"[" * 20000), {400}),
    (post("Content-Length: 4", "Content-Type: application/json", bearer(TOKEN), body=b"\xff\xfe\x00["), {400}),
    (get("/../../etc/passwd"), {400, 404}),
    (get("/%2e%2e/%2e%2e/etc/passwd"), {400, 404}),
    (get("/api/v1/../v1/pause"), {404}),
    (get("/api/v1/feeds/..%2f..%2fetc/import"), {404, 405}),
    (get("//api/v1/status"), {400, 404}),
    (get("/api/v1/status%00.html"), {400, 404}),
    (get("/api/v1/status;x=y"), {404}),
    (get("http://evil.example/api/v1/listings"), {400, 404}),
    (get("/api/v1/listings?" + "&".join(f"a{i}=1" for i in range(100))), {400}),
    (b"POST /api/v1/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", {401}),
    (b"POST /api/v1/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n" +
     (bearer(WRONG) + "\r\n\r\n").encode(), {401, 429}),
    (b"POST /api/v1/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n" +
     (bearer(EXPIRED) + "\r\n\r\n").encode(), {401, 429}),
    (b"POST /api/v1/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n" +
     (bearer(WRONG) + "\r\n" + bearer(TOKEN) + "\r\n\r\n").encode(), {400}),
    (b"POST /api/v1/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nX-HTTP-Method-Override: GET\r\n\r\n", {401}),
    (b"CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\n", {0, 400, 404, 405}),
    (b"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", {400, 405, 404, 501}),
]


async def connect(buffer=None, here="127.0.0.1"):
    """Who means no good floods 127.0.0.1; what is judged one by one comes from elsewhere."""
    s = socket.socket(socket.AF_INET)
    s.setblocking(False)
    s.bind((here, 0))
    if buffer:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    try:
        await asyncio.wait_for(asyncio.get_running_loop().sock_connect(s, (ADDRESS, PORT)), 5)
    except BaseException:
        s.close()
        raise
    return await asyncio.open_connection(sock=s)


async def status_of(reader):
    """Of the answer; 0: there is none."""
    try:
        line = await asyncio.wait_for(reader.readline(), 15)
        return int(line.split()[1]) if line.startswith(b"HTTP/1.1 ") else 0
    except (OSError, IndexError, ValueError):
        return 0


async def for_ever(name, act):
    while True:
        try:
            await act()
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
            count[name + "_failed"] += 1
            await asyncio.sleep(1)


async def idle():
    reader, writer = await connect()
    count["idle_opened"] += 1
    await reader.read(1)
    count["idle_ended"] += 1
    writer.close()
    await asyncio.sleep(2)


async def trickle():
    reader, writer = await connect()
    end = asyncio.ensure_future(reader.read(1))
    for byte in itertools.chain(b"GET /api/v1/status HTTP/1.1\r\nX: ", itertools.repeat(97)):
        if end.done():
            break
        writer.write(bytes([byte]))
        await asyncio.wait([end], timeout=0.3)
    count["trickle_ended"] += 1
    writer.close()


async def trickle_body():
    reader, writer = await connect()
    writer.write(post("Content-Length: 1000000", "Content-Type: application/json", bearer(TOKEN)))
    end = asyncio.ensure_future(reader.read(1))
    while not end.done():
        writer.write(b"[")
        await asyncio.wait([end], timeout=0.5)
    count["body_ended"] += 1
    writer.close()


async def never_read():
    reader, writer = await connect(buffer=4096)
    writer.transport.pause_reading()
    writer.write(get("/api/v1/listings?limit=10000"))
    await asyncio.sleep(10)
    writer.close()


async def dashboard():
    reader, writer = await connect(here="127.0.0.5")
    writer.write(get("/api/v1/events?topic=rates", "Accept: text/event-stream"))
    status = await status_of(reader)
    count[f"dashboard_{status}"] += 1
    if status == 200:
        while await reader.read(65536):
            pass
    writer.close()
    await asyncio.sleep(3)


tricks = itertools.cycle(enumerate(MALFORMED))
judged = {}


async def malformed():
    index, (request, allowed) = next(tricks)
    reader, writer = await connect(here="127.0.0.3")
    writer.write(request)
    status = await status_of(reader)
    if status in allowed:
        judged.setdefault(index, status)
    elif status:  # else it was closed for another
        judged[index] = f"WRONG {status} for {request[:70]!r}"
    if len(judged) == len(MALFORMED) and not count["all_judged"]:
        count["all_judged"] = 1
        print("all_judged", flush=True)
    writer.close()
    await asyncio.sleep(0.02)


async def guess():
    reader, writer = await connect(here="127.0.0.4")
    writer.write(get("/api/v1/listings", bearer(WRONG), "Connection: close"))
    status = await status_of(reader)
    count[f"guess_{status}"] += 1
    if status == 200:
        count["got_in"] += 1
    writer.close()
    await asyncio.sleep(0.02)


async def honest():
    """Asks what anybody may, in time."""
    begin = time.monotonic()
    reader, writer = await connect(here="127.0.0.2")
    writer.write(get("/healthz", "Connection: close"))
    status = await status_of(reader)
    writer.close()
    asked.append((time.monotonic() - begin) * 1000)
    count[f"honest_{status}"] += 1
    await asyncio.sleep(0.05)


async def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    crowd = [(idle, IDLE), (trickle, TRICKLE), (trickle_body, 20), (never_read, READERS),
             (dashboard, DASHBOARDS), (malformed, 4), (guess, 2)]
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    tasks = [asyncio.ensure_future(for_ever(act.__name__, act)) for act, n in crowd for _ in range(n)]
    await asyncio.sleep(1)
    tasks.append(asyncio.ensure_future(for_ever("honest", honest)))
    print("ready", flush=True)
    over = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    await asyncio.wait([over], timeout=SECONDS)
    for task in tasks:
        task.cancel()
    for wrong in sorted(str(status) for status in judged.values() if isinstance(status, str)):
        count["got_in"] += 1
        print("#", wrong)
    count["got_in"] += 0
    count["tricks"], count["tricks_judged"] = len(MALFORMED), len(judged)
    for name, n in sorted(count.items()):
        print(name, n)
    if asked:
        print("honest_p50_ms", round(statistics.median(asked), 1))
        print("honest_max_ms", round(max(asked), 1))
    sys.stdout.flush()
    os._exit(0)  # what else is under way is of no interest


asyncio.run(main())
