// SPDX-License-Identifier: BSD-2-Clause
// What an address gets, and why: the whole answer of moatd, readable.
import { get } from "./api.js";
import { ago, duration, el, fill_table, until, whole } from "./format.js";
import { open_end, open_write } from "./write.js";

const WORDS = {
	pass: ["passes", "good"],
	drop: ["is DROPPED", "bad"],
	tag: ["is TAGGED, and passes", "warn"],
	monitor: ["would be acted on, but is only MONITORED: it passes", "warn"],
};

const list = (words) => words.join(", ");

function packet_text(a) {
	const port = a.packet.port === null ? "" : ` to port ${a.packet.port}`;
	const on = a.packet.interface ? ` on ${a.packet.interface}` : "";

	return `${a.packet.protocol}${port}${on}, as the loaded program judged it`;
}

function policy_text(policy) {
	const rate = policy.packets_per_second ? ` to ${whole(policy.packets_per_second)} packets/s`
		: policy.bits_per_second ? ` to ${whole(policy.bits_per_second)} bit/s` : "";

	return `${policy.category}: ${policy.action}${rate}, ${policy.scope}`;
}

function kernel_text(kernel) {
	const ends = kernel.expires_in_seconds === null ? "without end" : `for ${duration(kernel.expires_in_seconds)}`;

	return `${kernel.source}: ${list(kernel.categories)}, ${ends}`;
}

function hits_text(kernel) {
	if (kernel.hits === null)
		return "not noted";
	if (!kernel.hits)
		return "none seen";
	return `${kernel.hits_exact ? "" : "about "}${whole(kernel.hits)} packets, last ${ago(kernel.last_seen)}, first ${ago(kernel.first_seen)}`;
}

function quorum_text(q) {
	const who = q.trusted ? "a trusted feed lists it" : `${q.have} of ${q.need} feeds agree`;

	return `${q.category}: ${who}${q.feeds.length ? ` (${list(q.feeds)})` : ""}; it ${q.acts ? "acts" : "only monitors"}`;
}

function facts(a) {
	const rows = [
		["Packet", packet_text(a)],
		["Decides", a.decides ? `${a.decides.source}: ${list(a.decides.categories)}${a.decides.until ? `, changes ${until(a.decides.until)}` : ""}` : "nothing: no listing in force covers it"],
		a.policy && ["Policy", policy_text(a.policy)],
		["Kernel", a.kernel ? kernel_text(a.kernel) : "holds nothing for it"],
		a.kernel && ["Hits", hits_text(a.kernel)],
		...(a.quorums ?? []).map((q) => ["Quorum", quorum_text(q)]),
		a.shared?.length && ["Shared", `many people share it (${list(a.shared)}): tagged instead of dropped`],
		a.replies_pass && ["Replies", "answers to connections opened here pass all the same"],
		a.refused && ["Not in the kernel", a.refused],
	].filter(Boolean);

	return el("dl", { class: "facts" }, rows.flatMap(([name, text]) => [el("dt", null, name), el("dd", null, text)]));
}

function end_button(a, listing, again) {
	return el("button", { type: "button", class: "plain", "aria-label": `End ${listing.source}, ${listing.category}, ${listing.feed}`, onclick: () => open_end(a, listing, again) }, "End …");
}

function listings(a, again) {
	const table = el("table", { class: "listings" });
	const rows = a.listings.map((l) => el("tr", { "data-state": l.state },
		el("td", { class: "mono" }, l.source), el("td", null, l.category), el("td", null, l.feed),
		el("td", null, el("span", { class: `state ${l.state === "live" ? (l.monitored ? "warn" : "good") : ""}`, title: l.why ?? "" }, l.monitored ? "monitored" : l.state)),
		el("td", null, until(l.expires_at)),
		el("td", { class: "text" }, l.reason ?? "", l.why ? el("span", { class: "quiet" }, ` ${l.why}`) : null),
		el("td", { class: "text wide" }, [l.reference, l.basis, l.region].filter(Boolean).join(" · ")),
		el("td", { class: "n" }, end_button(a, l, again))));

	fill_table(table, `Listings that cover ${a.address}`, { source: "", category: "", feed: "", state: "", ends: "", reason: "text", reference: "text wide", "": "" }, rows,
		a.listings_problem ?? "No listing covers this address.");
	return el("div", { class: "scroll" }, table);
}

function verdict_line(a) {
	const [text, kind] = WORDS[a.verdict] ?? [a.verdict, ""];
	const why = [a.reason, a.category].filter(Boolean).join(", ");

	return el("p", { class: `title ${kind}`, id: "answer-verdict", "data-verdict": a.verdict, "data-reason": a.reason },
		el("span", { class: "mono" }, a.address), ` ${text}: `, a.reason_text, el("span", { class: "quiet" }, ` (${why})`));
}

/* The program judged by its rules; these come before them. */
function caveats(status) {
	const counting = status?.interfaces.filter((i) => i.attached && !i.enforce).map((i) => i.name) ?? [];

	return [
		status?.paused ? "Filtering is paused: right now every packet passes." : null,
		counting.length ? `On ${list(counting)} actions only count: it passes there.` : null,
	].filter(Boolean);
}

function buttons(a, again, close) {
	return el("div", { class: "buttons" },
		el("button", { type: "button", id: "block", onclick: () => open_write(a, false, again) }, "Block …"),
		el("button", { type: "button", id: "allow", onclick: () => open_write(a, true, again) }, "Allow …"),
		el("span", { class: "room" }),
		el("button", { type: "button", class: "plain", onclick: close }, "Close"));
}

export class Explain {
	/* status(): the last one, or null. */
	constructor(form, box, status) {
		this.status = status;
		this.form = form;
		this.box = box;
		form.addEventListener("submit", (event) => {
			event.preventDefault();
			this.ask();
		});
		addEventListener("hashchange", () => this.from_hash());
		addEventListener("keydown", (event) => this.key(event));
	}

	key(event) {
		const typing = event.target.closest?.("input, select, textarea, dialog");

		if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
			event.preventDefault();
			this.form.address.focus();
			this.form.address.select();
		} else if (event.key === "Escape" && !event.target.closest?.("dialog")) {
			this.close();
		}
	}

	/* #explain=192.0.2.7 can be sent to a colleague, and is never sent to a server. */
	from_hash() {
		const address = new URLSearchParams(location.hash.slice(1)).get("explain");

		if (address && address !== this.form.address.value)
			this.address(address);
	}

	address(address) {
		this.form.address.value = address;
		this.ask();
		this.box.scrollIntoView({ block: "nearest" });
	}

	close() {
		this.box.hidden = true;
		this.box.replaceChildren();
		history.replaceState(null, "", location.pathname);
	}

	async ask() {
		const address = this.form.address.value.trim();
		const port = this.form.port.value.trim();
		const asked = (this.asked = Symbol());

		this.box.hidden = false;
		if (!address) {
			this.fail("Type an IPv4 or IPv6 address.");
			return;
		}
		this.box.setAttribute("aria-busy", "true");
		try {
			const answer = await get("api/v1/explain", { address, proto: this.form.proto.value, port });
			if (this.asked === asked)
				this.show(answer);
		} catch (why) {
			if (this.asked === asked)
				this.fail(why.message);
		}
		this.box.removeAttribute("aria-busy");
	}

	show(a) {
		const again = () => this.ask();

		history.replaceState(null, "", `#explain=${encodeURIComponent(a.address)}`);
		this.box.replaceChildren(...[verdict_line(a),
			a.differ ? el("p", { class: "bad loud", role: "alert" }, `The database and the kernel differ: by the database it would ${a.model.verdict} (${a.model.reason}). This is a bug, or a write that was lost; moatctl status says more.`) : null,
			...caveats(this.status()).map((text) => el("p", { class: "warn-text" }, text)),
			facts(a), listings(a, again), buttons(a, again, () => this.close())].filter(Boolean));
	}

	fail(why) {
		this.box.replaceChildren(el("p", { class: "bad", role: "alert", id: "answer-problem" }, why),
			el("div", { class: "buttons" }, el("button", { type: "button", class: "plain", onclick: () => this.close() }, "Close")));
	}
}
