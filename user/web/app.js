// SPDX-License-Identifier: BSD-2-Clause
// The page: what is asked when, and where it goes.
import { get } from "./api.js";
import { Chart } from "./chart.js";
import { Explain } from "./explain.js";
import { by_id, choices, el } from "./format.js";
import { show_headline } from "./headline.js";
import { every, follow } from "./live.js";
import { Packets } from "./packets.js";
import { Rates } from "./rates.js";
import { show_feeds, show_interfaces, show_state, show_top, TOP_BY } from "./tables.js";
import { show_tiles } from "./tiles.js";
import { set_up_theme } from "./theme.js";
import { set_up_token } from "./token.js";
import { know_categories } from "./write.js";

const seen = { status: null, at: 0, lost: null }; /* the last status, and why there is no newer one */

const explain = new Explain(by_id("search"), by_id("answer"), () => seen.status);
const rates = new Rates(rates_changed, show_link);
const chart = new Chart(by_id("chart"), by_id("legend"), rates);
const packets = new Packets(by_id("packets"), by_id("packets-note"), by_id("packets-hold"), (address) => explain.address(address));

function show_link(state) {
	const link = by_id("link");
	const text = { live: "live", polling: "live, by asking", lost: "no connection" }[seen.lost ? "lost" : state];

	if (link.textContent === text)
		return;
	link.textContent = text;
	link.className = `link ${seen.lost ? "lost" : state}`;
}

function rates_changed() {
	chart.soon();
	show_tiles(by_id("tiles"), rates.recent, seen.status);
	if (seen.status)
		show_interfaces(by_id("interfaces"), seen.status, rates.recent);
}

/* Also while nothing comes: the age of what is shown, and how long a pause lasts, go on. */
function headline() {
	show_headline(by_id("headline"), seen.status, Date.now() / 1000 - seen.at, seen.lost);
	document.body.classList.toggle("stale", Boolean(seen.lost));
}

function take_status(status) {
	const other = seen.status && seen.status.started_at !== status.started_at;
	const back = seen.lost;
	const paused = Boolean(seen.status?.paused) !== Boolean(status.paused);

	Object.assign(seen, { status, at: Date.now() / 1000, lost: null });
	if (other || back)
		rates.again();
	by_id("host").textContent = status.host ?? "";
	by_id("version").textContent = `moat ${status.version}`;
	know_categories(status.categories);
	if (paused && !by_id("answer").hidden)
		explain.ask();
	show_state(by_id("state"), status);
	headline();
	rates_changed();
}

function lose(why) {
	seen.lost = why;
	show_link("lost");
	headline();
}

const PACKETS_RATE = 10; /* a second: more nobody reads */

/* One stream has it all; where packets are refused, the rates come alone. */
function follow_events() {
	let packets_too = true;

	follow("api/v1/events", () => (packets_too ? { topic: "packets,rates", rate: PACKETS_RATE } : { topic: "rates" }), (name, data) => {
		({ rates: () => rates.heard(data), packet: () => packets.heard(data), lost: () => packets.told(data) })[name]?.();
	}, (why) => {
		rates.lost();
		if (packets_too || !why.status)
			packets.say(why.status ? why.message : "The stream of packets is interrupted; it is tried again.");
		packets_too = !why.status || !packets_too;
	});
}

function set_up_top() {
	let by = "source";
	const task = every(5, async () => show_top(by_id("top"), await get("api/v1/top", { by, limit: 12 }), (address) => explain.address(address)),
		(why) => fail_table(by_id("top"), why));

	choices(by_id("top-by"), TOP_BY, by, (key) => {
		by = key;
		task.now();
	});
}

/* What was there stays while moatd is away: the headline says how old it is. */
function fail_table(table, why) {
	if (why.status || !table.rows.length)
		table.replaceChildren(el("tbody", null, el("tr", null, el("td", { class: "empty bad" }, why.message))));
}

set_up_theme(by_id("theme-button"), () => chart.rebuild());
set_up_token();
chart.controls(by_id("by"), by_id("unit"), by_id("range"));
every(2, async () => take_status(await get("api/v1/status")), lose);
rates.start();
packets.draw();
follow_events();
set_up_top();
every(10, async () => show_feeds(by_id("feeds"), (await get("api/v1/feeds")).feeds), (why) => fail_table(by_id("feeds"), why));
setInterval(headline, 1000);
explain.from_hash();
