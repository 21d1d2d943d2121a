# SPDX-License-Identifier: BSD-2-Clause
"""Looks at the dashboard in a browser, for test_web.sh.

    web_page.py WORK URL SHOTS      then a command a line on standard input

Each command is a function below, with its words; what it finds is printed as
"ok - SENTENCE" or "not ok - SENTENCE", and a line "." ends it.
"""
import json
import re
import shlex
import sys
import urllib.request

from browser import Browser, Failed

HEADLINE = "#headline .title"


class Look:
    def __init__(self, page, url, shots):
        self.page, self.url, self.shots = page, url, shots

    def check(self, sentence, good, why=""):
        print(f"{'ok' if good else 'not ok'} - {sentence}")
        for line in str(why).splitlines() if not good else []:
            print(f"#   {line}")

    def becomes(self, sentence, condition):
        try:
            self.page.wait(sentence, condition)
            self.check(sentence, True)
        except Failed as why:
            self.check(sentence, False, f"{why}\n{self.page.text('main')[:600]}")

    def answer(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return answer.read().decode()

    # ---- what it shows ----

    def open(self):
        self.page.open(self.url)

    def headline(self, sentence, words):
        self.becomes(sentence, lambda: words in self.page.text(HEADLINE))

    def live(self, sentence):
        self.becomes(sentence, lambda: self.page.text("#link") == "live")

    def metrics(self):
        """Packets and bytes by verdict, reason and category, as Prometheus would sum them up."""
        sums = {}
        for line in self.answer("metrics").splitlines():
            found = re.match(r"moat_(packets|bytes)_total\{(.*)\} (\S+)$", line)
            if found:
                label = dict(re.findall(r'(\w+)="([^"]*)"', found[2]))
                key = "|".join((label["verdict"], label["reason"], label["category"]))
                sums.setdefault(key, [0, 0])[found[1] == "bytes"] += int(float(found[3]))
        return {key: value for key, value in sums.items() if value[0]}

    def shown(self):
        rows = self.page.run("""return [...document.querySelectorAll('#legend tbody tr[data-key]')].map((row) =>
            [row.dataset.key, Number(row.dataset.packets), Number(row.dataset.bytes), row.cells[row.cells.length - 1].innerText])""")
        for _, packets, _, text in rows:
            assert text.replace(",", "") == str(packets), f"'{text}' is not {packets}"
        return {key: [packets, size] for key, packets, size, _ in rows if packets}

    def counters(self, sentence):
        self.becomes(sentence, lambda: self.metrics() == self.shown() and len(self.shown()) > 2)

    def tile(self, verdict, sentence):
        self.becomes(sentence, lambda: self.page.text(f".tile[data-verdict={verdict}] .value").split()[0] not in ("0", "–", ""))

    def top(self, source, sentence):
        self.becomes(sentence, lambda: self.page.has(f'#top tr[data-source="{source}"]'))

    def packet(self, source, sentence):
        self.becomes(sentence, lambda: any("listed" in row and source in row for row in self.page.text("#packets").splitlines()))

    # ---- explain and change ----

    def explain(self, address, verdict, sentence):
        self.page.run("document.querySelector('#answer-verdict')?.removeAttribute('id')")  # only the next answer is one
        self.page.type("#address", address)
        self.page.click("#search button")
        self.becomes(sentence, lambda: self.page.text("#answer-verdict").startswith(address)
                     and self.page.has(f'#answer-verdict[data-verdict="{verdict}"]'))

    def hostile(self, sentence):
        """The reason that somebody wrote into the database is shown as it stands."""
        self.becomes(sentence, lambda: "<img src=x onerror=" in self.page.text("#answer .listings"))
        self.check("and nothing of it is an element or ran", self.page.run(
            "return !document.querySelector('#answer img, #answer script, #answer b') && window.owned === undefined"))

    def nonsense(self, sentence):
        self.page.type("#address", "no-address")
        self.page.click("#search button")
        self.becomes(sentence, lambda: "one IPv4 or IPv6 address is expected" in self.page.text("#answer-problem"))

    def sign_in(self, token):
        self.page.wait("the dialog for a token opens", lambda: self.page.has("#token-dialog[open]"))
        self.page.type("#token", token)
        self.page.click("#token-form button.main")

    def block(self, address, token, sentence):
        self.explain(address, "pass", f"{address} passes, so far")
        self.page.click("#block")
        self.sign_in(token)
        self.page.wait("the rehearsal is over", lambda: self.page.run("return !document.querySelector('#do-it').disabled"))
        self.check("whom it would hit is said before it can be done",
                   re.search("would have hit|cannot be told", self.page.text("#effect")), self.page.text("#effect"))
        self.page.click("#do-it")
        self.becomes(sentence, lambda: self.page.has('#answer-verdict[data-verdict="drop"]'))
        self.check("and the page knows whose token it is", "analyst" in self.page.text("#token-button"), self.page.text("#token-button"))

    def end(self, address, sentence):
        self.explain(address, "drop", f"{address} is dropped, so far")
        self.page.click("#answer .listings tbody button")
        self.page.wait("the rehearsal is over", lambda: self.page.run("return !document.querySelector('#do-it').disabled"))
        self.check("what remains is said before it ends", "not blocked any more" in self.page.text("#effect"), self.page.text("#effect"))
        self.page.click("#do-it")
        self.becomes(sentence, lambda: self.page.has('#answer-verdict[data-verdict="pass"]'))

    def refused(self, token, sentence):
        self.page.click("#block")
        self.sign_in(token)
        self.becomes(sentence, lambda: self.page.text("#token-problem"))
        self.check("and nothing can be done with it", self.page.run("return !document.querySelector('#write-dialog').open && sessionStorage.length === 0"))
        self.page.click("#token-cancel")

    # ---- how it is made ----

    def keyboard(self):
        self.page.run("document.activeElement.blur()")
        self.page.press("/")
        self.check("/ goes to the search box", self.page.run("return document.activeElement.id") == "address")

    def accessible(self):
        nameless = self.page.run("""
            const named = (e) => e.innerText?.trim() || e.ariaLabel || e.labels?.length || e.title || e.getAttribute('aria-labelledby');
            const seen = [...document.querySelectorAll('button, input, select, a, table, section, dialog, img')].filter((e) => e.checkVisibility());
            return seen.filter((e) => e.tagName === 'IMG' ? !e.hasAttribute('alt') : e.tagName === 'TABLE' ? !e.caption : !named(e))
                .map((e) => e.outerHTML.slice(0, 120));""")
        self.check("whatever can be used or read has a name", not nameless, "\n".join(nameless))
        self.check("the page has a language, one main part and one first heading", self.page.run(
            "return document.documentElement.lang === 'en' && document.querySelectorAll('main').length === 1 && document.querySelectorAll('h1').length === 1"))

    def contrast(self, theme):
        """WCAG 2: 4.5 to 1 for text, on whatever it stands."""
        low = self.page.run("""
            const style = getComputedStyle(document.documentElement), value = (name) => style.getPropertyValue('--' + name).trim();
            const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
            const light = (name) => {
                canvas.fillStyle = value(name); canvas.fillRect(0, 0, 1, 1);
                const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((c) => c / 255).map((c) => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
                return .2126 * r + .7152 * g + .0722 * b;
            };
            const pairs = [];
            for (const ink of ['ink', 'quiet', 'link', 'good', 'warn', 'bad', 'drop', 'tag', 'monitor', 'pass']) pairs.push([ink, 'panel']);
            for (const ink of ['ink', 'quiet']) for (const back of ['page', 'good-back', 'warn-back', 'bad-back']) pairs.push([ink, back]);
            for (const kind of ['good', 'warn', 'bad']) pairs.push([kind, kind + '-back']);
            return pairs.map(([a, b]) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return [a, b, (x + .05) / (y + .05)]; })
                .filter(([, , ratio]) => ratio < 4.5).map(([a, b, ratio]) => `${a} on ${b}: ${ratio.toFixed(2)}`);""")
        self.check(f"{theme}: text stands out from what is behind it", not low, "\n".join(low))

    def pictures(self):
        for name, dark, width, phone in (("light", False, 1280, False), ("dark", True, 1280, False), ("phone", False, 360, True), ("phone-dark", True, 360, True)):
            self.page.size(width, 800, phone)
            self.page.colours(dark)
            self.page.wait("it is drawn", lambda: self.page.run("return document.querySelector('.uplot')?.offsetWidth > 0"))
            if not phone:
                self.contrast(name)
            else:
                wide = self.page.run("return document.documentElement.scrollWidth")
                self.check(f"{name}: 360 pixels are wide enough", wide <= 360, wide)
            self.page.screenshot(f"{self.shots}/web-{name}.png")
        self.page.size(1280, 800)
        self.page.colours(False)

    def clean(self):
        """Until here: nothing that a browser complains of, and nobody else was asked."""
        self.page.collect()
        said = [line for line in self.page.console if not self.expected(line)]
        self.check("the browser complains of nothing, least of the content security policy", not said, "\n".join(said))
        urls = [request["url"] for request in self.page.requests]
        others = [url for url in urls if not url.startswith((self.url, "data:", "chrome:", "about:"))]
        self.check("no other host is asked", not others and any("explain" in url for url in urls), "\n".join(others))
        told = [request["headers"].get("Referer") for request in self.page.requests]
        self.check("and none is told where it comes from", not any(told), json.dumps(told))
        self.check("no address is in what the page is called by", "explain=" not in "".join(u for u in urls if "/api/" not in u))

    def expected(self, line):
        """Answers that the test provoked: an address that is none, a token that is nobody's."""
        return re.search(r"explain\?address=no-address.* status of 400|/api/v1/whoami .* status of 401", line)


def main():
    work, url, shots = sys.argv[1:4]
    with Browser(work) as page:
        look = Look(page, url, shots)
        print(".", flush=True)
        for line in sys.stdin:
            words = shlex.split(line)
            if words == ["quit"]:
                return
            try:
                getattr(look, words[0])(*words[1:])
            except (Failed, OSError, AssertionError) as why:
                look.check(" ".join(words), False, f"{why}\n{page.text('main')[:600]}")
            print(".", flush=True)


main()
