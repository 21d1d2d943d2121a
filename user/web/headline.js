// SPDX-License-Identifier: BSD-2-Clause
// What matters first: whether all is in force, and if not, what to do.
import { clock, duration, el, whole } from "./format.js";

const sum = (by_family) => by_family.ipv4 + by_family.ipv6;

function names(interfaces) {
	return interfaces.map((i) => i.name).join(", ");
}

function in_force(status) {
	const installed = sum(status.coverage.installed);
	const sources = installed === 1 ? "1 source" : `${whole(installed)} sources`;

	return `${sources} in the kernel, on ${names(status.interfaces) || "no interface"}.`;
}

/* A list of what, why and what to do. */
function troubles(list) {
	return el("ul", { class: "troubles" }, list.map((t) => el("li", null,
		el("strong", null, t.what), " ", t.why, t.do ? el("span", { class: "do" }, t.do) : null)));
}

function paused_text(left) {
	return left === null ? "Until somebody resumes it: moatctl resume." : `Filtering goes on by itself in ${duration(left)}.`;
}

function trouble_title(status, list) {
	const what = list.length === 1 ? "one thing needs a look" : `${list.length} things need a look`;

	return status.degraded.length ? `Degraded: ${what}` : `${what[0].toUpperCase()}${what.slice(1)}`;
}

/* A configuration that is rolled back by itself, as one of the troubles. */
function unconfirmed(configuration, age) {
	if (configuration?.state !== "unconfirmed" || configuration.seconds_left === null)
		return [];
	return [{
		what: "configuration",
		why: `the one by ${configuration.by ?? "somebody"} is not confirmed${configuration.changes ? ` (${configuration.changes})` : ""}; it is rolled back in ${duration(configuration.seconds_left - age)}`,
		do: "moatctl confirm, if all is well",
	}];
}

/*
 * kind, title, text and list of a status; age: how many seconds ago it was
 * given. lost: why there is no newer one.
 */
function judge(status, age, lost) {
	if (lost?.status === 401 || lost?.status === 403)
		return { kind: "bad", title: "This moatd wants to know who asks", text: lost.message, list: [] };
	if (!status)
		return { kind: "bad", title: "moatd does not answer", text: "The filter in the kernel goes on without it. On the host: systemctl status moatd.", list: [] };
	if (lost)
		return { kind: "bad", title: "moatd does not answer", text: `What stands here is of ${clock(Date.now() / 1000 - age)}, ${duration(age)} ago. The filter in the kernel goes on without it. On the host: systemctl status moatd.`, list: [] };

	const others = [...unconfirmed(status.configuration, age), ...status.degraded.filter((t) => !(status.paused && t.what === "paused"))];
	const counting = status.interfaces.filter((i) => i.attached && !i.enforce);
	if (status.paused) {
		const left = status.paused.seconds_left;
		return { kind: "bad", title: "Paused: every packet passes", text: paused_text(left === null ? null : left - age), list: others };
	}
	if (others.length)
		return { kind: "warn", title: trouble_title(status, others), text: in_force(status), list: others };
	if (counting.length)
		return { kind: "warn", title: `Counting only on ${names(counting)}: nothing is dropped there`, text: `${in_force(status)} Set enforce: true when you trust what it counts.`, list: [] };
	return { kind: "good", title: "All in force", text: in_force(status), list: [] };
}

/* Said anew only when it changed: a screen reader reads it each time. */
export function show_headline(box, status, age, lost) {
	const { kind, title, text, list } = judge(status, age, lost);
	const said = JSON.stringify([kind, title, text, list]);

	if (box.dataset.said === said)
		return;
	box.dataset.said = said;
	box.className = `headline ${kind}`;
	box.replaceChildren(el("p", { class: "title" }, title), el("p", { class: "text" }, text));
	if (list.length)
		box.append(troubles(list));
	document.title = kind === "good" ? "moat" : `${kind === "bad" ? "‼" : "!"} ${title} – moat`;
}
