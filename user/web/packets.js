// SPDX-License-Identifier: BSD-2-Clause
// Sampled packets, the newest first.
import { clock, el, fill_table, short, verdict_mark, whole } from "./format.js";
import { source_link } from "./tables.js";

const KEPT = 100;
const DRAW_MS = 500;
const WAITING = "Waiting for a packet that something happens to …";


function ends(packet) {
	return [packet.protocol, packet.destination_port ?? packet.type].filter((word) => word !== undefined).join(" ") || "–";
}

export class Packets {
	constructor(table, note, hold, explain) {
		this.table = table;
		this.note = note;
		this.explain = explain;
		this.kept = [];
		this.left_out = 0;
		this.why = WAITING;
		this.held = false;
		hold.addEventListener("click", () => {
			this.held = !this.held;
			hold.setAttribute("aria-pressed", String(this.held));
			hold.textContent = this.held ? "Go on" : "Hold";
			this.draw();
		});
	}

	heard(packet) {
		this.kept.unshift(packet);
		this.kept.length = Math.min(this.kept.length, KEPT);
		this.soon();
	}

	/* Counts since the stream began, of what was not sent. */
	told(told) {
		this.left_out = told.lost + told.suppressed + told.limited + told.slow;
		this.soon();
	}

	/* Why none come; "": they do. */
	say(why) {
		this.why = why || WAITING;
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
			el("td", { class: "n" }, clock(Date.parse(p.time) / 1000)), el("td", null, verdict_mark(p.verdict)),
			el("td", null, p.reason, p.category ? el("span", { class: "mark" }, p.category) : null),
			el("td", null, p.source ? source_link(p.source, this.explain) : "–"), el("td", null, ends(p)),
			el("td", { class: "n wide" }, short(p.length, "B")), el("td", { class: "mono wide" }, p.iface)));

		fill_table(this.table, "Sampled packets", { time: "n", verdict: "", reason: "", source: "", to: "", length: "n wide", on: "wide" }, rows, this.why);
		this.note.textContent = this.left_out ? `A sample: about ${whole(this.left_out)} more came since you look.` : "";
	}
}
