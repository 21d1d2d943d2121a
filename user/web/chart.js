// SPDX-License-Identifier: BSD-2-Clause
// The chart: stacked areas by uPlot, and the table that is its legend.
import uPlot from "./uPlot.esm.js";
import { choices, clock, day, el, fill_table, minute, short, verdict_mark, whole } from "./format.js";
import { BY, colour_of, group, is_pass, to_show } from "./groups.js";
import { RANGES } from "./rates.js";

const UNITS = { packets: "packets/s", bytes: "bit/s" };
const SI = { packets: "", bytes: "bit" };
const HEIGHT = 260;

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const resolve = (colour) => css(colour.slice(4, -1));

/* A mean of a longer step is as wide as the step: its last value stands at both ends. */
function widened(columns) {
	const { times, step } = columns;

	return step > 1 && times.length ? { times: [...times, times.at(-1) + step], wide: (values) => [...values, values.at(-1)] }
		: { times, wide: (values) => values };
}

/* Sums from below: the first lies at the bottom. */
function stack(times, groups) {
	const sums = [];

	for (const g of groups) {
		const below = sums[sums.length - 1];
		sums.push(g.values.map((value, i) => (value === null ? null : value + (below?.[i] ?? 0))));
	}
	return [times, ...sums];
}

export class Chart {
	constructor(box, legend, rates) {
		this.box = box;
		this.legend = legend;
		this.rates = rates;
		this.by = "reason";
		this.unit = "packets";
		this.shown = new Map(); /* key: what somebody clicked; the rest is as is_pass() says */
		this.at = null; /* under the cursor */
		this.drawn = "";
		new ResizeObserver(() => this.resize()).observe(box);
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.rebuild());
	}

	controls(by, unit, range) {
		choices(by, Object.entries(BY).map(([key, { text }]) => [key, text]), this.by, (key) => { this.by = key; this.rebuild(); });
		choices(unit, Object.entries({ packets: "packets", bytes: "bits" }), this.unit, (key) => { this.unit = key; this.rebuild(); });
		choices(range, Object.entries(RANGES).map(([key, { text }]) => [key, text]), this.rates.range, (key) => { this.rates.choose(key); });
	}

	hidden(g) {
		return !(this.shown.get(g.key) ?? !is_pass(g));
	}

	toggle(g) {
		this.shown.set(g.key, this.hidden(g));
		this.draw();
	}

	rebuild() {
		this.drawn = "";
		this.draw();
	}

	/* At most once a frame, whatever comes. */
	soon() {
		if (this.waiting || document.hidden)
			return;
		this.waiting = true;
		requestAnimationFrame(() => {
			this.waiting = false;
			this.draw();
		});
	}

	draw() {
		const columns = this.rates.columns;
		const groups = group(columns, this.by, this.unit);
		const shown = to_show(groups, (g) => this.hidden(g));
		const shape = JSON.stringify([this.unit, this.by, this.rates.range, shown.map((g) => g.key), document.documentElement.dataset.theme]);

		this.groups = groups;
		/* No series at all: an axis all the same, so that nothing jumps when the first comes. */
		const { times, wide } = widened(columns);
		this.data = shown.length ? stack(times, shown.map((g) => ({ values: wide(g.values) }))) : [times, times.map(() => 0)];
		if (shape !== this.drawn || !this.plot) {
			this.build(shown);
			this.drawn = shape;
		} else {
			this.plot.setData(this.data);
		}
		this.box.classList.toggle("empty", !shown.some((g) => g.values.some((value) => value > 0)));
		this.box.dataset.empty = columns.times.length ? this.nothing(shown) : "Nothing is known yet: moatd looks once a second.";
		this.draw_legend();
	}

	nothing(shown) {
		const what = shown.some((g) => is_pass(g)) ? "Nothing came" : "Nothing was dropped, limited, tagged or monitored";
		return `${what} in the last ${RANGES[this.rates.range].text}.`;
	}

	build(shown) {
		const grid = { stroke: css("--grid"), width: 1 };
		const axis = { stroke: css("--quiet"), grid, ticks: grid, font: "12px system-ui, sans-serif" };
		const days = RANGES[this.rates.range].seconds > 86400, live = this.rates.range === "5m";

		this.plot?.destroy();
		this.plot = new uPlot({
			width: this.width(),
			height: HEIGHT,
			legend: { show: false },
			cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
			padding: [8, 26, 0, 0],
			scales: { x: { range: () => this.window() }, y: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] } },
			axes: [
				{ ...axis, ...(days ? { incrs: [86400, 2 * 86400] } : {}), space: 70, values: (_, ticks) => ticks.map(days ? day : live ? clock : minute) },
				{ ...axis, size: 64, values: (_, ticks) => ticks.map((n) => short(n, SI[this.unit])) },
			],
			series: [{}, ...(shown.length ? shown : [{ key: "rest" }]).map((g) => {
				const colour = resolve(colour_of(g));
				return { stroke: colour, width: 1.25, fill: `${colour}59`, points: { show: false }, spanGaps: false, ...(live ? {} : { paths: uPlot.paths.stepped({ align: 1 }) }) };
			})],
			bands: shown.slice(1).map((_, i) => ({ series: [i + 2, i + 1] })),
			hooks: { setCursor: [(plot) => this.cursor(plot.cursor.idx)] },
		}, this.data, this.box);
	}

	/* The whole range, also when less is known: what is drawn moves, and does not stretch. */
	window() {
		const { times, step } = this.rates.columns;
		const end = times.length ? times.at(-1) + (step > 1 ? step : 0) : Date.now() / 1000;

		return [end - RANGES[this.rates.range].seconds, end];
	}

	width() {
		return Math.max(240, this.box.clientWidth);
	}

	resize() {
		if (this.plot && this.plot.width !== this.width())
			this.plot.setSize({ width: this.width(), height: HEIGHT });
	}

	cursor(at) {
		const inside = at !== null && at !== undefined && this.plot?.cursor.left >= 0 ? at : null;

		if (inside === this.at)
			return;
		this.at = inside;
		this.draw_legend();
	}

	draw_legend() {
		const at = this.rates.columns.times[Math.min(this.at, this.rates.columns.times.length - 1)];
		const when = this.at === null ? "now" : clock(at);
		const total = this.unit === "bytes" ? "bytes in all" : "packets in all";
		const name = this.by === "reason" ? { reason: "", category: "" } : { [this.by]: "" };
		const columns = { "": "swatch", verdict: "", ...name, [`${UNITS[this.unit]} ${when}`]: "n", [`mean of ${RANGES[this.rates.range].text}`]: "n wide", [total]: "n wide" };

		fill_table(this.legend, "Verdicts: rates and totals", columns, this.groups.map((g) => this.legend_row(g)), "No packet was counted yet.");
	}

	legend_row(g) {
		const hidden = this.hidden(g);
		const value = this.at === null ? g.now : g.values[Math.min(this.at, g.values.length - 1)];
		const swatch = el("button", {
			type: "button", class: hidden ? "dot off" : "dot", "aria-pressed": String(!hidden), "data-keep": g.key,
			"aria-label": `${[g.verdict, g.reason, g.name].filter(Boolean).join(" ")}: on the chart`, onclick: () => this.toggle(g),
		});
		const names = this.by === "reason" ? [el("td", null, g.reason), el("td", null, g.name)] : [el("td", null, g.name || "–")];

		swatch.style.setProperty("--dot", colour_of(g));
		return el("tr", { class: hidden ? "off" : null, "data-key": g.key, "data-packets": g.packets_total, "data-bytes": g.bytes_total },
			el("td", { class: "swatch" }, swatch),
			el("td", null, verdict_mark(g.verdict)), ...names,
			el("td", { class: "n" }, short(value, SI[this.unit])),
			el("td", { class: "n wide" }, short(g.mean, SI[this.unit])),
			el("td", { class: "n wide", title: whole(this.unit === "bytes" ? g.bytes_total : g.packets_total) },
				this.unit === "bytes" ? short(g.bytes_total, "B") : whole(g.packets_total)));
	}
}
