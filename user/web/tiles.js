// SPDX-License-Identifier: BSD-2-Clause
// What happens right now, in numbers with the last five minutes behind them.
import { duration, el, percent, short, whole } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 120, HEIGHT = 28;

function sparkline(values, colour) {
	const svg = document.createElementNS(SVG, "svg");
	const line = document.createElementNS(SVG, "polyline");
	const most = Math.max(...values, 1);
	const at = (value, i) => `${((i / Math.max(values.length - 1, 1)) * WIDTH).toFixed(1)},${(HEIGHT - 1 - (value / most) * (HEIGHT - 3)).toFixed(1)}`;

	svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
	svg.setAttribute("preserveAspectRatio", "none");
	svg.setAttribute("aria-hidden", "true");
	line.setAttribute("points", values.map((value, i) => at(value ?? 0, i)).join(" "));
	line.style.stroke = colour;
	svg.append(line);
	return svg;
}

function of_verdict(columns, verdict) {
	const values = columns.times.map(() => 0);
	let packets = 0, bytes = 0;

	for (const s of columns.series.values()) {
		if (s.verdict !== verdict)
			continue;
		packets += s.now_packets;
		bytes += s.now_bytes;
		s.packets.forEach((value, i) => { values[i] += value ?? 0; });
	}
	return { packets, bytes, values };
}

function rate_tile(columns, verdict, title, colour) {
	const { packets, bytes, values } = of_verdict(columns, verdict);

	return el("div", { class: "tile", "data-verdict": verdict },
		el("span", { class: "label" }, title),
		el("span", { class: "value" }, short(packets), el("small", null, " packets/s")),
		el("span", { class: "quiet" }, short(bytes * 8, "bit/s")),
		sparkline(values, colour));
}

function tile(title, value, text, kind = "") {
	return el("div", { class: `tile ${kind}` }, el("span", { class: "label" }, title),
		el("span", { class: "value" }, value), el("span", { class: "quiet" }, text));
}

const sum = (by_family) => by_family.ipv4 + by_family.ipv6;

function state_tiles(status) {
	const { coverage, sync } = status;
	const lost = sum(coverage.refused);

	return [
		tile("Coverage", percent(coverage.ratio), lost ? `${whole(lost)} of ${whole(sum(coverage.wanted))} not in the kernel` : `${whole(sum(coverage.installed))} sources`, coverage.ratio < 1 ? "bad" : ""),
		tile("Database to kernel", sync.lag_seconds < 1 ? "in step" : `${duration(sync.lag_seconds)} behind`, sync.problem ?? `change ${whole(sync.seq_kernel)}`, sync.lag_seconds > 60 || sync.problem ? "bad" : ""),
	];
}

export function show_tiles(box, columns, status) {
	box.replaceChildren(
		rate_tile(columns, "drop", "Dropped", "var(--drop)"),
		rate_tile(columns, "tag", "Tagged", "var(--tag)"),
		rate_tile(columns, "monitor", "Only monitored", "var(--monitor)"),
		rate_tile(columns, "pass", "Passed", "var(--pass)"),
		...(status ? state_tiles(status) : []));
}
