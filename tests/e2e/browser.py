# SPDX-License-Identifier: BSD-2-Clause
"""A headless Chromium for the tests of the dashboard, by chromedriver's WebDriver.

    with Browser(work_directory) as page:
        page.open("http://127.0.0.1:9911/")
        page.wait("what is waited for", lambda: page.text("#headline"))

Nothing but the standard library. Everything that is made is in the directory
given, and ends with the browser.
"""
import base64
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

DEADLINE = int(os.environ.get("PAGE_DEADLINE", "30"))  # seconds that a condition may take
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--no-default-browser-check", "--disable-default-apps", "--metrics-recording-only", "--hide-scrollbars",
    "--force-color-profile=srgb", "--disable-features=Translate,OptimizationHints,MediaRouter",
]


class Failed(Exception):
    """A condition that did not come, or a command that chromedriver refused."""


class Browser:
    def __init__(self, work, width=1280, height=900, dark=False):
        self.work = work
        self.profile = os.path.join(work, "profile")
        self.flags = FLAGS + [f"--user-data-dir={self.profile}", f"--window-size={width},{height}"]
        if dark:
            self.flags.append("--blink-settings=preferredColorScheme=0")
        self.log = open(os.path.join(work, "chromedriver.log"), "ab")
        self.driver = self.session = None
        self.console, self.requests = [], []

    def __enter__(self):
        port = free_port()
        self.base = f"http://127.0.0.1:{port}"
        environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        environment["HOME"] = self.work
        self.driver = subprocess.Popen(
            [shutil.which("chromedriver") or "chromedriver", f"--port={port}"], stdout=self.log, stderr=self.log, env=environment)
        wait("chromedriver answers", lambda: self.call("GET", "/status")["ready"])
        made = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": self.flags, "binary": shutil.which("chromium")},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}})
        self.session = f"/session/{made['sessionId']}"
        return self

    def __exit__(self, *_):
        try:
            if self.session:
                self.call("DELETE", self.session)
        except (Failed, OSError):
            pass
        self.driver.terminate()
        try:
            self.driver.wait(5)
        except subprocess.TimeoutExpired:
            self.driver.kill()
            self.driver.wait()
        self.log.close()

    # ---- the protocol ----

    def call(self, method, path, body=None):
        data = json.dumps(body if body is not None else {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as why:
            said = json.load(why)["value"]
            raise Failed(f"{path}: {said['error']}: {said['message'].splitlines()[0]}") from None

    def ask(self, method, path, body=None):
        return self.call(method, self.session + path, body)

    def devtools(self, command, **parameters):
        return self.ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    # ---- the page ----

    def open(self, url):
        self.ask("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def find(self, css):
        return self.ask("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def text(self, css):
        """What a reader sees; "" if there is no such element."""
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", css)

    def has(self, css):
        return self.run("return document.querySelector(arguments[0]) !== null", css)

    def click(self, css):
        """A page that lives may move or redraw the element meanwhile: then nothing was clicked, and it is found anew."""
        self.wait(f"{css} can be clicked", lambda: self.ask("POST", f"/element/{self.find(css)}/click") is None)

    def type(self, css, text):
        element = self.find(css)
        self.ask("POST", f"/element/{element}/clear")
        self.ask("POST", f"/element/{element}/value", {"text": text})

    def press(self, keys):
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def choose(self, css, value):
        self.run("""const at = document.querySelector(arguments[0]); at.value = arguments[1];
            at.dispatchEvent(new Event('input', { bubbles: true }));""", css, value)

    def size(self, width, height, phone=False):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height,
                      deviceScaleFactor=2 if phone else 1, mobile=phone)

    def colours(self, dark):
        self.devtools("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def screenshot(self, path):
        """The whole page, however long it is."""
        shot = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    def wait(self, what, condition, deadline=DEADLINE):
        return wait(what, condition, deadline)

    # ---- what it complained of, and whom it asked ----

    def collect(self):
        self.console += [f"{e['level']}: {e['message']}" for e in self.ask("POST", "/se/log", {"type": "browser"})]
        for entry in self.ask("POST", "/se/log", {"type": "performance"}):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"])


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait(what, condition, deadline=DEADLINE):
    """Until condition() is true; what it gave. A failure within is not there yet."""
    end = time.monotonic() + deadline
    why = ""
    while True:
        try:
            got = condition()
            if got:
                return got
            why = f"it is {got!r}"
        except (Failed, OSError, KeyError, ValueError) as error:
            why = str(error)
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {deadline} s: {why}")
        time.sleep(0.05)
