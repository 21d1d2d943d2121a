#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A client of the API that believes nothing but its OpenAPI document.

    api_peer.py SOCKET check            every operation once, as it is meant
    api_peer.py SOCKET fuzz SEED SECONDS    requests good and bad, for so long
    api_peer.py SOCKET again SEED STEP      one step of that, shown

Every answer must have a status that the document says, of the media type that
it says, and fit the schema; no member may be there that is not described.
What the document forbids must be refused. A 5xx that is not said, no answer
within DEADLINE seconds, and a moatd that is gone are faults.

Prints "ok - SENTENCE" and "not ok - SENTENCE", and exits 1 after a fault.
"""
import copy
import http.client
import json
import random
import socket
import sys
import time
import urllib.parse

from jsonschema import Draft202012Validator

DEADLINE = 15
BODY_SHOWN = 300
STREAMS = ("text/event-stream", "application/x-ndjson")


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=DEADLINE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Fault(Exception):
    """What moatd did that the document does not say."""


def close_objects(node):
    """Makes members that are not described an error: the tests' own strictness."""
    if isinstance(node, dict):
        if "properties" in node:
            node.setdefault("additionalProperties", False)
        for value in node.values():
            close_objects(value)
    elif isinstance(node, list):
        for value in node:
            close_objects(value)


class Api:
    def __init__(self, path):
        self.path = path
        self.validators = {}
        _, _, body = self.ask("GET", "/api/v1/openapi.json")
        self.document = json.loads(body)
        self.operations = [
            (method.upper(), path, operation)
            for path, item in self.document["paths"].items()
            for method, operation in item.items()
        ]
        self.components = copy.deepcopy(self.document["components"])
        close_objects(self.components["schemas"])

    def ask(self, method, target, body=None, headers=None):
        """Status, headers and body of one request; of a stream its beginning."""
        connection = Unix(self.path)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.putheader("Connection", "close")
            connection.endheaders()
            if body is not None:
                try:
                    connection.send(body)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # answered before it had everything
            answer = connection.getresponse()
            if answer.headers.get_content_type() in STREAMS:
                return answer.status, answer.headers, None
            return answer.status, answer.headers, answer.read()
        except socket.timeout as late:
            raise Fault(f"no answer within {DEADLINE} s") from late
        except (http.client.HTTPException, OSError) as broken:
            raise Fault(f"no answer: {broken!r}") from broken
        finally:
            connection.close()

    def configuration(self):
        """The file that moatd runs, with one more setting."""
        path = json.loads(self.ask("GET", "/api/v1/status")[2])["configuration"]["path"]
        with open(path, "rb") as file:
            return file.read() + b"\nunjudged: { vlan_depth: drop }\n"

    def validator(self, schema):
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            schema = copy.deepcopy(schema)
            close_objects(schema)
            schema["components"] = self.components
            self.validators[key] = Draft202012Validator(schema)
        return self.validators[key]

    def resolve(self, node):
        while "$ref" in node:
            at = self.document
            for part in node["$ref"].lstrip("#/").split("/"):
                at = at[part]
            node = at
        return node

    def judge(self, operation, method, status, headers, body):
        """Whether the operation may answer so."""
        answers = operation["responses"]
        said = answers.get(str(status))
        if said is None and 400 <= status < 500:
            said = answers.get("default")
        if said is None and status == 204 and method == "OPTIONS":
            return
        if said is None:
            raise Fault(f"status {status} is not described")
        content = self.resolve(said).get("content")
        if method == "HEAD" or not content:
            if body:
                raise Fault(f"status {status} with a body")
            return
        mime = headers["Content-Type"]
        if "*/*" in content:
            return
        if mime not in content:
            raise Fault(f"status {status} of {mime}")
        if body is None:
            return
        if "json" not in mime:
            body.decode()
            return
        self.fits(content[mime]["schema"], body)
        if status >= 400 and json.loads(body)["status"] != status:
            raise Fault(f"a problem of another status than {status}")

    def fits(self, schema, body):
        try:
            value = json.loads(body)
        except ValueError as bad:
            raise Fault(f"not JSON: {bad}") from bad
        for error in self.validator(schema).iter_errors(value):
            where = "/".join(str(part) for part in error.absolute_path)
            raise Fault(f"does not fit its schema at '{where}': {error.message[:BODY_SHOWN]}")


# ---- every operation once ----

CONFIG = "the configuration that runs"
NDJSON = {"Content-Type": "application/x-ndjson"}
ROW = b'{"source":"198.51.100.77","category":"botnet","reason":"check","ttl":"1h"}'
LISTING = "?source=198.51.100.77"

# What is asked of an operation, and the status that must come. Others are asked without anything, and give 200.
EXAMPLES = {
    "getListings": [("", None, {}, 200), ("?limit=1&expired=both", None, {}, 200),
                    ("?under=198.51.100.0/24&category=botnet", None, {}, 200),
                    (LISTING, None, {}, 200), ("?limit=0", None, {}, 400), ("?limit=10001", None, {}, 400)],
    "addListings": [("", ROW, {}, 200), ("", b"[" + ROW + b"]", {}, 200), ("?dry_run=1", ROW, {}, 200),
                    ("?refused=skip&results=refused", ROW + b'\n{"source":"x","category":"botnet"}', NDJSON, 200),
                    ("", b'{"source":"x","category":"botnet"}', {}, 409), ("", b"{", {}, 400)],
    "addReports": [("", b'{"source":"198.51.100.79","category":"botnet","reporter":"f2b"}', {}, 200),
                   ("?ttl=1h", b'{"source":"198.51.100.79","category":"botnet","at":1000}\n', NDJSON, 200),
                   ("?ttl=31d", b"", {}, 400)],
    "endListings": [(LISTING + "&dry_run=1", None, {}, 200), (LISTING, None, {"If-Match": '"x"'}, 412),
                    (LISTING, None, {}, 200), ("", b'{"source":"198.51.100.78"}', NDJSON, 200), ("", None, {}, 400)],
    "explain": [("?address=198.51.100.77", None, {}, 200), ("?address=2001:db8:99::7&proto=udp&port=53", None, {}, 200),
                ("?address=203.0.113.1&iface=in0", None, {}, 200), ("", None, {}, 400)],
    "verifyAudit": [("", None, {}, 200), ("?head=x", None, {}, 400)],
    "audit": [("?since=0&limit=5", None, {}, 200), ("?since=x", None, {}, 400)],
    "pause": [("", b'{"for":"1h"}', {}, 200), ("", None, {}, 200), ("", b'{"for":1}', {}, 400)],
    "applyConfig": [("", b"", {}, 400), ("", b"nonsense: 1\n", {}, 422), ("?confirm=60s", CONFIG, {}, 200)],
    "confirmConfig": [("", None, {}, 200), ("", None, {}, 409)],
    "rollbackConfig": [("", None, {}, 409)],
    "attach": [("?confirm=60s", None, {}, 200)],
    "confirmAttach": [("", None, {}, 200), ("", None, {}, 409)],
    "fetchFeed": [("", None, {}, 200)],
    "importList": [("?category=botnet&dry_run=1", b"198.51.100.1\n", {}, 200),
                   ("?category=botnet&force=1", b"198.51.100.1\n", {}, 200), ("?format=x", b"", {}, 400)],
}
NAMES = {"/web/{name}": "index.html", "/api/v1/feeds/{name}": "drop", "/api/v1/interfaces/{name}": "in0"}
# Asked last, for what comes after it is to be judged by the filter in force.
LAST = ("pause", "detach", "attach", "confirmAttach", "resume")


def target_of(path, names=None):
    for prefix, name in (names or NAMES).items():
        if path.startswith(prefix):
            return path.replace("{name}", name)
    return path


def check_document(api):
    document = api.document
    if not document["openapi"].startswith("3.1"):
        raise Fault("not OpenAPI 3.1")
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    ids = [operation["operationId"] for _, _, operation in api.operations]
    if len(ids) != len(set(ids)):
        raise Fault("an operationId is there twice")

    def walk(node):
        if isinstance(node, dict):
            if "$ref" in node:
                api.resolve(node)
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(document)


def check_operation(api, method, path, operation):
    seen = set()
    for query, body, headers, wanted in EXAMPLES.get(operation["operationId"], [("", None, {}, 200)]):
        if body == CONFIG:
            body = api.configuration()
        status, fields, answer = api.ask(method, target_of(path) + query, body, headers)
        api.judge(operation, method, status, fields, answer)
        if status != wanted:
            raise Fault(f"{query or 'nothing'} gives {status}, not {wanted}: {(answer or b'')[:BODY_SHOWN]}")
        seen.add(status)
        if method == "GET" and status == 200 and fields["ETag"]:
            # What tells the time or counts has changed by then, most has not.
            status, fields, answer = api.ask(method, target_of(path) + query, None, {"If-None-Match": fields["ETag"]})
            api.judge(operation, method, status, fields, answer)
        if method == "GET":
            status, fields, answer = api.ask("HEAD", target_of(path) + query)
            api.judge(operation, "HEAD", status, fields, answer)
    return seen


def check(api):
    faults = 0
    try:
        check_document(api)
        print("ok - the document is OpenAPI 3.1, its schemas are good and all it points to is there")
    except Fault as fault:
        faults += 1
        print(f"not ok - the document is good: {fault}")
    def last(entry):
        name = entry[2]["operationId"]
        return LAST.index(name) + 1 if name in LAST else 0

    for method, path, operation in sorted(api.operations, key=last):
        try:
            seen = check_operation(api, method, path, operation)
            print(f"ok - {method} {path} answers as it is described ({' '.join(map(str, sorted(seen)))})")
        except Fault as fault:
            faults += 1
            print(f"not ok - {method} {path} answers as it is described\n#   {fault}")
    return faults


# ---- requests good and bad ----

SOURCES = ["198.51.100.7", "198.51.100.0/24", "2001:db8:1::/48", "2001:DB8::1", "45.0.0.0/9", "10.1.2.3", "0.0.0.0/0",
           "198.51.100.1/24", "::ffff:198.51.100.9", "nonsense", "", "198.51.100.7/32", "224.0.0.1", "::", "1" * 5000]
CATEGORIES = ["botnet", "scanner", "allow", "nosuch", "", "~botnet", "a b", "x" * 300, "b\u00f6t", "'; DROP TABLE listing; --"]
FEEDS = ["manual", "drop", "partner", "", "a/b", "..", "%", "x" * 80, "\u202e", "\t"]
TIMES = ["90s", "15m", "12h", "30d", "", "-1s", "99999999999999999999d", "1y", "\u0661h", "s"]
TEXTS = ["", "a", "\u00e9\u4e2d\U0001f600", "<script>alert(1)</script>", "%00", "%2e%2e%2f", "\n", "\x7f", "'\"\\", "z" * 4097, "-1", "NaN", "1e9"]
NUMBERS = [0, 1, -1, 100, 101, 65535, 65536, 2**31, 2**32, 2**63 - 1, 2**63, -2**63, 10**40]


class Fuzz:
    def __init__(self, api, seed):
        self.api = api
        self.seed = seed
        self.random = random.Random(seed)
        self.statuses = {}

    def begin(self, step):
        """Each step is made of the seed and its number alone, so that it can be made again."""
        self.random = random.Random(f"{self.seed} {step}")

    def junk(self):
        r = self.random
        return r.choice([r.choice(TEXTS), str(r.choice(NUMBERS)), "".join(chr(r.randrange(1, 0x2fff)) for _ in range(r.randrange(20)))])

    def word(self, name):
        known = {"source": SOURCES, "under": SOURCES, "address": SOURCES, "category": CATEGORIES, "feed": FEEDS, "ttl": TIMES}
        r = self.random
        if r.random() < 0.15:
            return self.junk()
        if name in known:
            return r.choice(known[name][:6] if r.random() < 0.6 else known[name])
        if name == "iface":
            return r.choice(["in0", "eth9", ""])
        return r.choice(TEXTS)

    def value(self, parameter):
        """A value, and whether the document forbids it (None: it does not say)."""
        r, schema = self.random, self.api.resolve(parameter["schema"])
        if "enum" in schema:
            if r.random() < 0.8:
                return str(r.choice(schema["enum"])), False
            value = self.junk()
            return value, value not in map(str, schema["enum"]) and value != ""
        if schema.get("type") == "integer":
            low, high = schema.get("minimum", 0), schema.get("maximum", 2**31)
            if r.random() < 0.7:
                return str(r.choice([low, high, r.randint(low, high)])), False
            value = r.choice([high + 1, low - 1, "x", "1.5", " 1", "0x10", "1 ", "+", 10**30])
            return str(value), True
        return self.word(parameter["name"]), None

    def query(self, operation):
        pairs, forbidden, r = [], False, self.random
        for parameter in operation.get("parameters", []):
            if parameter["in"] != "query" or (r.random() < 0.5 and not parameter.get("required")):
                continue
            value, bad = self.value(parameter)
            forbidden |= bool(bad)
            pairs.append((parameter["name"], value))
        if r.random() < 0.05:
            pairs.append((self.junk() or "x", self.junk()))
            forbidden = True
        if pairs and r.random() < 0.03:
            pairs.append(pairs[0])
            forbidden = True
        text = urllib.parse.urlencode(pairs, errors="surrogatepass")
        if r.random() < 0.02:
            text += "&%zz=%&&="
        return ("?" + text if text else ""), forbidden

    def row(self):
        r = self.random
        row = {"source": self.word("source"), "category": self.word("category")}
        for name in ("feed", "reason", "reference", "basis", "region", "ttl", "expires_at", "review", "review_at",
                     "confidence", "for", "nosuch"):
            if r.random() < (0.15 if name != "nosuch" else 0.02):
                row[name] = r.choice([self.word(name), r.choice(NUMBERS), None, True, 1.5, [], {}, self.word("ttl")])
        if r.random() < 0.05:
            row.pop(r.choice(list(row)))
        return row

    def body(self, operation):
        r = self.random
        if "requestBody" not in operation and r.random() < 0.9:
            return None, {}
        kind = r.randrange(10)
        rows = [self.row() for _ in range(r.choice([0, 1, 1, 2, 5, 50]))]
        if kind < 3:
            text = json.dumps(rows[0] if len(rows) == 1 else rows).encode()
            headers = {"Content-Type": r.choice(["application/json", "application/json; charset=utf-8", "text/csv"])}
        elif kind < 6:
            text = b"\n".join(json.dumps(row).encode() for row in rows)
            headers = {"Content-Type": "application/x-ndjson"}
        elif kind == 6:
            text, headers = json.dumps({"for": self.word("ttl")}).encode(), {}
        elif kind == 7:
            text, headers = bytes(r.randrange(256) for _ in range(r.randrange(200))), {}
        elif kind == 8:
            text, headers = b"[" * r.randrange(1, 5000), {}
        else:
            text = "\n".join(self.word("source") for _ in range(20)).encode("utf-8", "replace")
            headers = {"Content-Type": "application/octet-stream"}
        if text and r.random() < 0.2:
            at = r.randrange(len(text))
            text = text[:at] + bytes([r.randrange(256)]) * r.randrange(3) + text[at + 1:]
        return text, headers

    def request(self):
        r = self.random
        method, path, operation = r.choice(self.api.operations)
        names = NAMES if r.random() < 0.7 else {prefix: urllib.parse.quote(r.choice(FEEDS) or "x", safe="") for prefix in NAMES}
        query, forbidden = self.query(operation)
        body, headers = self.body(operation)
        if r.random() < 0.1:
            headers["Accept"] = r.choice(["*/*", "text/html", "application/json;q=0", ",,,", "application/*", "q=;;", "a" * 900])
        if r.random() < 0.1:
            headers[r.choice(["If-Match", "If-None-Match"])] = r.choice(["*", '"x"', "", 'W/"', '"' * 50])
        if r.random() < 0.03:
            headers["Content-Encoding"] = r.choice(["gzip", "identity", ""])
        if method == "GET" and r.random() < 0.1:
            method = r.choice(["HEAD", "OPTIONS"])
        return method, target_of(path, names) + query, body, headers, operation, forbidden

    def step(self, number, show=False):
        self.begin(number)
        method, target, body, headers, operation, forbidden = self.request()
        what = f"{method} {target} {headers} {(body or b'')[:BODY_SHOWN]}"
        try:
            status, fields, answer = self.api.ask(method, target, body, headers)
            if show:
                print(what, status, fields, answer, sep="\n")
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if status in (404, 405) and "/api/" in target:
                return  # a name that made another path
            self.api.judge(operation, method, status, fields, answer)
            if forbidden and status < 400 and method != "OPTIONS":
                raise Fault(f"status {status} of what the document forbids")
        except Fault as fault:
            raise Fault(f"step {number}: {what[:900]}\n#   {fault}") from fault


def fuzz(api, seed, seconds):
    run = Fuzz(api, seed)
    end, step, faults = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end and faults < 5:
        try:
            run.step(step)
        except Fault as fault:
            faults += 1
            print(f"# seed {seed}, {fault}")
        step += 1
    print(f"# {step} requests, seed {seed}; by status: {dict(sorted(run.statuses.items()))}")
    print(f"{'not ok' if faults else 'ok'} - what is asked at random is answered as the document says")
    return faults


def main():
    api = Api(sys.argv[1])
    if sys.argv[2] == "check":
        faults = check(api)
    elif sys.argv[2] == "fuzz":
        faults = fuzz(api, sys.argv[3], float(sys.argv[4]))
    else:
        faults = 0
        Fuzz(api, sys.argv[3]).step(int(sys.argv[4]), show=True)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
