// SPDX-License-Identifier: BSD-2-Clause
// Tables: the most active sources, feeds, interfaces, room.
import { ago, el, fill_table, percent, short, until, whole } from "./format.js";

/* A source that is explained when it is clicked. */
export function source_link(source, explain) {
	const address = source.split("/")[0];

	return el("button", { type: "button", class: "address mono", "data-keep": source, title: `Explain ${address}`, onclick: () => explain(address) }, source);
}

const marks = (words) => words.map((word) => el("span", { class: "mark" }, word));

export const TOP_BY = [["source", "sources"], ["prefix", "prefixes"], ["feed", "feeds"]];

function top_names(by, row, explain) {
	if (by === "source")
		return [el("td", null, source_link(row.source, explain)), el("td", null, marks(row.categories))];
	return [el("td", { class: by === "prefix" ? "mono" : null }, row[by]), el("td", { class: "n" }, whole(row.sources))];
}

export function show_top(table, answer, explain) {
	const by = answer.by;
	const rows = (answer.sources ?? answer.prefixes ?? answer.feeds).map((row) => el("tr", { "data-source": row[by] },
		...top_names(by, row, explain),
		el("td", { class: "n", title: `${whole(row.hits)} packets, ${whole(row.bytes)} bytes` }, `${row.hits_exact === false ? "~" : ""}${short(row.hits)}`),
		el("td", { class: "n wide" }, short(row.bytes, "B")),
		el("td", { class: "n" }, ago(row.last_seen))));
	const names = by === "source" ? { source: "", categories: "" } : { [by]: "", "listed sources": "n" };

	fill_table(table, `Listed sources by packets, by ${by}`, { ...names, packets: "n", bytes: "n wide", "last seen": "n" }, rows,
		answer.capacity ? "No listed source has sent anything yet." : "Hits are not noted: hits is 0 in the configuration.");
}

function feed_state(feed) {
	const kind = { ok: "good", trouble: "bad", held: "warn", removed: "warn", new: "" }[feed.state] ?? "";

	return el("span", { class: `state ${kind}` }, feed.state);
}

/* What is wrong first. */
const ORDER = ["trouble", "held", "removed", "new", "ok"];

export function show_feeds(table, feeds) {
	const sorted = [...feeds].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || (a.name < b.name ? -1 : 1));
	const rows = sorted.flatMap((feed) => {
		const why = feed.why ?? feed.held_why;
		const row = el("tr", { "data-feed": feed.name },
			el("td", null, feed.name), el("td", null, feed_state(feed), feed.running ? el("span", { class: "quiet" }, " fetching") : null),
			el("td", { class: "n" }, whole(feed.entries)),
			el("td", null, feed.category ?? "", feed.mode === "monitor" ? el("span", { class: "mark" }, "monitor") : null),
			el("td", { class: "n" }, ago(feed.last_good)),
			el("td", { class: "n wide" }, feed.next ? until(feed.next) : "–"));

		return why ? [row, el("tr", { class: "why" }, el("td", { colspan: 6 }, why))] : [row];
	});

	fill_table(table, "Feeds", { feed: "", state: "", entries: "n", category: "", "last good": "n", next: "n wide" }, rows, "No feed is configured.");
}

function attachment(i) {
	if (i.attached)
		return el("span", { class: `state ${i.enforce ? "good" : "warn"}` }, i.enforce ? "enforcing" : "counting only");
	return el("span", { class: "state bad" }, i.by_hand ? "detached by hand" : "not attached");
}

export function show_interfaces(table, status, columns) {
	const rows = status.interfaces.flatMap((i) => {
		const now = { drop: 0, all: 0 };
		for (const s of columns.series.values()) {
			if (s.interface !== i.name)
				continue;
			now.all += s.now_packets;
			now.drop += s.verdict === "drop" ? s.now_packets : 0;
		}
		const row = el("tr", { "data-interface": i.name }, el("td", { class: "mono" }, i.name), el("td", null, attachment(i)),
			el("td", null, i.mode ?? "–", i.fallback ? el("span", { class: "mark" }, "fallback") : null),
			el("td", { class: "n" }, short(now.all)), el("td", { class: "n" }, short(now.drop)));
		return i.problem ? [row, el("tr", { class: "why" }, el("td", { colspan: 5 }, i.problem))] : [row];
	});

	fill_table(table, "Interfaces", { interface: "", filter: "", mode: "", "packets/s": "n", "dropped/s": "n" }, rows, "No interface is configured.");
}

function room(family, room) {
	return [el("dt", null, `Room ${family}`), el("dd", null, `${whole(room.entries)} of ${whole(room.capacity)}, ${percent(room.entries / Math.max(room.capacity, 1))}`)];
}

export function show_state(list, status) {
	const refused = Object.entries(status.refused_rows);

	list.replaceChildren(
		...room("IPv4", status.capacity.ipv4), ...room("IPv6", status.capacity.ipv6),
		el("dt", null, "Refused rows"), el("dd", null, refused.length ? refused.map(([cause, n]) => `${whole(n)} ${cause}`).join(", ") : "none"),
		el("dt", null, "Never blocked"), el("dd", null, `${whole(status.never_block.prefixes)} prefixes`),
		el("dt", null, "Self-test"), el("dd", null, status.selftest.ok ? "ok" : status.selftest.problem ?? "not run yet"),
		el("dt", null, "Due for review"), el("dd", null, status.review_due === null ? "unknown" : whole(status.review_due)),
		el("dt", null, "moatd started"), el("dd", null, ago(status.started_at)));
}
