// SPDX-License-Identifier: BSD-2-Clause
// Adds, allows and ends listings: what it would hit is shown before it can be done.
import { ask, token } from "./api.js";
import { by_id, el, percent, whole } from "./format.js";
import { open_token } from "./token.js";

const PATH = "api/v1/listings";
const TTLS = [["1h", "1 hour"], ["1d", "1 day"], ["3d", "3 days"], ["30d", "30 days"], ["", "without end"]];

let categories = []; /* of status */

export function know_categories(list) {
	categories = list ?? [];
}

function field(name, input) {
	input.setAttribute("name", name.toLowerCase());
	return el("label", null, name, input);
}

const text_input = (value, attributes) => el("input", { type: "text", value, maxlength: 200, autocomplete: "off", spellcheck: "false", ...attributes });

function select(options, chosen) {
	return el("select", null, options.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
}

/* ---- what it would do ---- */

function radius_text(radius) {
	if (!radius.sources)
		return "It drops nobody by itself: the category does not act, or the source is allowed.";
	if (!radius.judged)
		return "Whom it would hit cannot be told: too little passed in the last minutes to judge by.";
	return `It ${radius.text}.`;
}

function radius_list(radius) {
	if (!radius.judged || !radius.first?.length)
		return null;
	return el("ul", null, radius.first.map((hit) => el("li", null, el("span", { class: "mono" }, hit.source), ` ${percent(hit.share)}`)));
}

function fate_text(l) {
	if (l.state === "refused")
		return `It would be refused: ${l.why ?? l.cause}.`;
	if (l.state === "elsewhere")
		return `It would not act on this host: ${l.why}.`;
	return l.monitored ? "It would only count: its feed is in mode monitor." : null;
}

function addition_text(plan, covered) {
	const fates = plan.listings.map(fate_text).filter(Boolean);

	return [
		el("p", { class: plan.over_budget ? "bad" : null }, radius_text(plan.radius), plan.over_budget ? " That is more than radius_budget allows." : null),
		radius_list(plan.radius),
		...fates.map((text) => el("p", { class: "bad" }, text)),
		covered.length ? el("p", null, `Listed already: ${covered.map((l) => `${l.source} (${l.category}, ${l.feed})`).join(", ")}.`) : null,
	];
}

function end_text(plan) {
	const remaining = plan.remaining.map((l) => `${l.source} (${l.category}, ${l.feed})`).join(", ");
	const blocked = plan.blocked === null ? "Whether it is still blocked depends on how many feeds agree."
		: plan.blocked ? "It is still blocked by these." : "It is not blocked any more.";

	return [
		el("p", null, plan.removed === 1 ? "One listing ends." : `${whole(plan.removed)} listings end.`),
		el("p", null, remaining ? `These remain: ${remaining}.` : "No other listing covers it."),
		el("p", { class: plan.blocked ? "bad" : null }, blocked),
	];
}

/* ---- the dialog: rehearse(), then do what was rehearsed and nothing else ---- */

class Dialog {
	constructor(title, fields, plan, done) {
		this.box = by_id("write-dialog");
		this.plan = plan; /* of the form: { method, query, body, say(answer), word } */
		this.done = done;
		this.effect = el("div", { class: "effect", "aria-live": "polite", id: "effect" });
		this.go = el("button", { type: "submit", class: "main", id: "do-it", disabled: true }, "…");
		this.form = el("form", { method: "dialog" }, el("h2", { id: "write-title" }, title), el("div", { class: "fields" }, fields), this.effect,
			el("div", { class: "buttons" }, el("span", { class: "room" }),
				el("button", { type: "button", class: "plain", onclick: () => this.box.close() }, "Cancel"), this.go));
		this.form.addEventListener("submit", (event) => {
			event.preventDefault();
			this.run();
		});
		this.form.addEventListener("input", () => this.soon());
		this.box.replaceChildren(this.form);
		this.box.showModal();
		this.soon(0);
	}

	soon(ms = 400) {
		clearTimeout(this.timer);
		this.go.disabled = true;
		this.timer = setTimeout(() => this.rehearse(), ms);
	}

	async rehearse() {
		const plan = this.plan(new FormData(this.form));
		const mine = (this.rehearsing = Symbol());

		this.effect.replaceChildren(el("p", { class: "quiet" }, "Looking what that would hit …"));
		try {
			const answer = await ask(plan.method, PATH, { query: { ...plan.query, dry_run: 1 }, body: plan.body });
			if (this.rehearsing !== mine)
				return;
			this.ready = plan;
			this.effect.replaceChildren(...plan.say(answer).filter(Boolean));
			this.go.textContent = plan.word;
			this.go.disabled = false;
		} catch (why) {
			if (this.rehearsing === mine)
				this.fail(why);
		}
	}

	async run() {
		this.go.disabled = true;
		try {
			await ask(this.ready.method, PATH, { query: this.ready.query, body: this.ready.body });
			this.box.close();
			this.done();
		} catch (why) {
			this.fail(why);
		}
	}

	fail(why) {
		this.go.disabled = true;
		this.go.textContent = "…";
		this.effect.replaceChildren(el("p", { class: "bad", role: "alert", id: "write-problem" }, why.message),
			why.status === 401 || why.status === 403 ? el("button", { type: "button", onclick: () => open_token(() => this.soon(0)) }, "Another token …") : "");
	}
}

function with_token(fn) {
	if (token.get())
		fn();
	else
		open_token(fn);
}

/* Adds a listing of the address, or allows it. */
export function open_write(answer, allow, done) {
	const words = categories.map((c) => [c.name, `${c.name} (${c.action})`]);
	const acting = categories.find((c) => c.action === "drop") ?? categories[0];
	const fields = [
		field("Source", text_input(answer.address, { class: "mono", required: true, maxlength: 64 })),
		allow ? null : field("Category", select(words, acting?.name)),
		field("TTL", select(TTLS, "1d")),
		field("Reason", text_input("")),
		field("Reference", text_input("", { placeholder: "CASE-4711" })),
	].filter(Boolean);

	with_token(() => new Dialog(allow ? "Allow a source" : "Block a source", fields, (form) => {
		const source = form.get("source").trim(), ttl = form.get("ttl");
		const category = allow ? "allow" : form.get("category");
		const body = { source, category };

		for (const key of ["ttl", "reason", "reference"])
			if (form.get(key))
				body[key] = form.get(key);
		const time = TTLS.find(([value]) => value === ttl)[1];
		return {
			method: "POST", body, query: {},
			word: allow ? `Allow ${source}, ${time}` : `List ${source} as ${category}, ${time}`,
			say: (plan) => (allow
				? [el("p", null, `${source} passes then, whatever else lists it.`), ...addition_text(plan, answer.listings).slice(2)]
				: addition_text(plan, answer.listings)),
		};
	}, done));
}

/* Ends one listing. */
export function open_end(answer, listing, done) {
	const { source, category, feed } = listing;
	const fields = [el("p", null, el("span", { class: "mono" }, source), ` · ${category} · feed ${feed}`),
		feed === "manual" ? null : el("p", { class: "quiet" }, `The next list of feed ${feed} may bring it back; an allow would last.`)].filter(Boolean);

	with_token(() => new Dialog("End a listing", fields, () => ({
		method: "DELETE", query: { source, category, feed }, word: `End ${source}, ${category}`, say: end_text,
	}), done));
}
