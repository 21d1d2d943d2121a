// SPDX-License-Identifier: BSD-2-Clause
// Sampled packets, the newest first.
import { clock, el, fill_table, short, verdict_mark, whole } from "./format.js";
import { follow } from "./live.js";
import { source_link } from "./tables.js";

const KEPT = 100;
const RATE = 10; /* a second: more nobody reads */
const DRAW_MS = 500;

const seconds_of = (time) => (typeof time === "number" ? time : Date.parse(time) / 1000);

function ends(packet) {
	const port = packet.destination_port ?? packet.dport;
	const what = [packet.protocol, port === null || port === undefined ? "" : String(port)].filter(Boolean).join(" ");

	return what || "–";
}

export class Packets {
	constructor(table, hold, explain) {
		this.table = table;
		this.explain = explain;
		this.kept = [];
		this.lost = 0;
		this.why = "Waiting for a packet that something happened to …";
		this.held = false;
		hold.addEventListener("click", () => {
			this.held = !this.held;
			hold.setAttribute("aria-pressed", String(this.held));
			hold.textContent = this.held ? "Go on" : "Hold";
			this.draw();
		});
	}

	start() {
		this.stream = follow("api/v1/events", { rate: RATE }, (name, data) => this.#heard(name, data), (why) => {
			this.why = why.status === 404 ? "This moatd sends no packets." : why.status ? why.message : "The stream of packets is interrupted; it is tried again.";
			this.soon();
		});
		this.draw();
	}

	#heard(name, data) {
		if (name === "packet") {
			this.kept.unshift(data);
			this.kept.length = Math.min(this.kept.length, KEPT);
		} else if (name === "lost") {
			this.lost += data.lost ?? data.count ?? 0;
		}
		this.soon();
	}

	soon() {
		if (this.timer || this.held)
			return;
		this.timer = setTimeout(() => {
			this.timer = 0;
			if (!this.held)
				this.draw();
		}, DRAW_MS);
	}

	draw() {
		const rows = this.kept.map((p) => el("tr", null,
			el("td", { class: "n" }, clock(seconds_of(p.time))), el("td", null, verdict_mark(p.verdict)),
			el("td", null, p.reason, p.category ? el("span", { class: "mark" }, p.category) : null),
			el("td", null, source_link(p.source, this.explain)), el("td", null, ends(p)),
			el("td", { class: "n wide" }, short(p.length, "B")), el("td", { class: "mono wide" }, p.iface ?? p.interface ?? "")));

		fill_table(this.table, "Sampled packets", { time: "n", verdict: "", reason: "", source: "", to: "", length: "n wide", on: "wide" }, rows, this.why);
		this.table.dataset.lost = whole(this.lost);
	}
}
