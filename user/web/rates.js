// SPDX-License-Identifier: BSD-2-Clause
// The rates as columns: what is kept, and what comes live behind it.
import { get } from "./api.js";
import { every } from "./live.js";

export const RANGES = {
	"5m": { text: "5 min", seconds: 300 },
	"1h": { text: "1 h", seconds: 3600 },
	"6h": { text: "6 h", seconds: 6 * 3600 },
	"1d": { text: "24 h", seconds: 86400 },
	"7d": { text: "7 d", seconds: 7 * 86400 },
};

const key_of = (s) => [s.interface ?? "", s.verdict, s.reason ?? "", s.category ?? ""].join("|");

/*
 * One axis of times, a step apart, and for each series two columns as long:
 * null where nothing is known. Series are never forgotten while the page is open.
 */
export class Columns {
	constructor() {
		this.step = 1;
		this.times = [];
		this.series = new Map();
	}

	/* What a GET gave, in place of what was there. */
	take(answer) {
		const before = this.series;

		this.step = answer.step;
		this.times = answer.times;
		this.series = new Map();
		for (const s of answer.series) {
			const now = before.get(key_of(s));
			this.series.set(key_of(s), { ...s, now_packets: now?.now_packets ?? 0, now_bytes: now?.now_bytes ?? 0 });
		}
	}

	/* What a look found: seconds from time on, in each of which every series had this much. */
	push(look, window) {
		const fresh = new Map(look.series.map((s) => [key_of(s), s]));

		for (const [key, s] of fresh) {
			const known = this.series.get(key);
			if (known)
				Object.assign(known, { packets_total: s.packets_total, bytes_total: s.bytes_total });
			else
				this.series.set(key, { ...s, packets: this.times.map(() => 0), bytes: this.times.map(() => 0) });
		}
		for (const [key, s] of this.series) {
			s.now_packets = fresh.get(key)?.packets ?? 0;
			s.now_bytes = fresh.get(key)?.bytes ?? 0;
		}
		if (this.step === 1)
			this.#lengthen(look, fresh, window);
	}

	#lengthen(look, fresh, window) {
		const end = look.time + look.seconds;

		/* Seconds that were not told, for the connection was lost, are a gap. */
		for (let at = (this.times.at(-1) ?? look.time - 1) + 1; at < end; at++) {
			const known = at >= look.time;
			this.times.push(at);
			for (const [key, s] of this.series) {
				s.packets.push(known ? fresh.get(key)?.packets ?? 0 : null);
				s.bytes.push(known ? fresh.get(key)?.bytes ?? 0 : null);
			}
		}
		const old = this.times.findIndex((at) => at >= end - window);
		if (old <= 0)
			return;
		this.times.splice(0, old);
		for (const s of this.series.values()) {
			s.packets.splice(0, old);
			s.bytes.splice(0, old);
		}
	}
}

/* The points of a GET later than a time, as if they had come live. */
function looks_after(answer, last) {
	return answer.times.map((time, i) => ({ time, i })).filter(({ time, i }) => time > last && answer.series.some((s) => s.packets[i] !== null))
		.map(({ time, i }) => ({
			time,
			seconds: 1,
			series: answer.series.map((s) => ({ ...s, packets: s.packets[i] ?? 0, bytes: s.bytes[i] ?? 0 })),
		}));
}

/*
 * Follows the rates of this moatd. changed() is called when there is something
 * new; state(text) with "live", "polling" or "lost".
 */
export class Rates {
	constructor(changed, state) {
		this.columns = new Columns(); /* of the range chosen */
		this.recent = new Columns(); /* of the last five minutes, whatever is chosen */
		this.range = "5m";
		this.changed = changed;
		this.state = state;
		this.streaming = false;
		this.waiting = [];
	}

	start() {
		this.loader = every(10, () => this.load(), () => this.state("lost"));
		every(2, () => this.#poll(), () => this.state("lost"));
	}

	/* A look, from the stream; those that come while what was before is asked for wait for it. */
	heard(look) {
		this.streaming = true;
		this.state("live");
		if (!look.seconds)
			return;
		if (this.fresh)
			this.#push(look);
		else
			this.waiting.push(look);
	}

	/* The stream ended: the gap is filled by what is kept, as soon as that is to be had. */
	lost() {
		if (this.streaming)
			this.again();
		this.streaming = false;
	}

	choose(range) {
		this.range = range;
		this.fresh = false;
		return this.loader.now();
	}

	/* Another moatd, or the same after a while: nothing that is here is sure. */
	again() {
		this.fresh = false;
		this.loader.now();
	}

	#push(look) {
		this.recent.push(look, RANGES["5m"].seconds);
		if (this.range !== "5m")
			this.columns.push(look, 0);
		this.changed();
	}

	/* What a step behind would show late is asked for anew; the last minutes only after a gap. */
	async load() {
		const range = this.range;

		if (!this.fresh)
			this.recent.take(await get("api/v1/rates", { since: "5m" }));
		if (range === "5m")
			this.columns = this.recent;
		else {
			const columns = new Columns();
			columns.take(await get("api/v1/rates", { since: range }));
			for (const [key, s] of columns.series) {
				s.now_packets = this.recent.series.get(key)?.now_packets ?? 0;
				s.now_bytes = this.recent.series.get(key)?.now_bytes ?? 0;
			}
			if (range === this.range)
				this.columns = columns;
		}
		this.fresh = true;
		for (const look of this.waiting.splice(0))
			this.#push(look);
		this.changed();
	}

	/* Where there is no stream. */
	async #poll() {
		if (this.streaming || !this.fresh)
			return;
		const answer = await get("api/v1/rates", { since: "10s" });
		if (this.streaming)
			return;
		this.state("polling");
		for (const look of looks_after(answer, this.recent.times.at(-1) ?? 0))
			this.#push(look);
	}
}
