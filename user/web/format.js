// SPDX-License-Identifier: BSD-2-Clause
// Numbers, times and elements. Whatever comes from a server becomes text, never markup.

/* el("td", { class: "n", title: "…" }, "text", other): what is null is left out. */
export function el(tag, attributes, ...children) {
	const made = document.createElement(tag);

	for (const [key, value] of Object.entries(attributes ?? {})) {
		if (value === null || value === undefined || value === false)
			continue;
		if (key.startsWith("on"))
			made.addEventListener(key.slice(2), value);
		else
			made.setAttribute(key, value === true ? "" : value);
	}
	made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
	return made;
}

export const by_id = (id) => document.getElementById(id);

const whole_format = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const some_format = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });

export const whole = (n) => whole_format.format(n);

/* 12.3 k: three digits and a power of 1000. */
export function short(n, unit = "") {
	const powers = ["", "k", "M", "G", "T", "P"];
	let power = 0;

	if (n === null || n === undefined || !Number.isFinite(n))
		return "–";
	while (n >= 999.5 && power < powers.length - 1) {
		n /= 1000;
		power++;
	}
	const text = n > 0 && n < 0.01 ? "<0.01" : some_format.format(n);
	const behind = powers[power] + unit;
	return behind ? `${text} ${behind}` : text;
}

export function percent(ratio) {
	if (ratio === 1)
		return "100 %";
	const text = (ratio * 100).toFixed(ratio > 0.9999 || ratio < 0.01 ? 3 : 1);
	return `${ratio < 1 && Number(text) === 100 ? "99.999" : text} %`;
}

/* 75 -> "1m 15s"; two units at most. */
export function duration(seconds) {
	const units = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
	const parts = [];

	seconds = Math.max(0, Math.round(seconds));
	for (const [name, size] of units) {
		if (seconds >= size && parts.length < 2)
			parts.push(`${Math.floor(seconds / size)}${name}`);
		else if (parts.length)
			break;
		seconds %= size;
	}
	return parts.join(" ") || "0s";
}

const seconds_of = (text) => (text ? Date.parse(text) / 1000 : null);
const now = () => Date.now() / 1000;

/* Of an RFC 3339 time, null: never. */
export function ago(text) {
	const seconds = text ? now() - seconds_of(text) : 0;

	if (!text)
		return "never";
	return seconds < 2 ? "now" : `${duration(seconds)} ago`;
}

export function until(text) {
	if (!text)
		return "never";
	const left = seconds_of(text) - now();
	return left > 0 ? `in ${duration(left)}` : `${duration(-left)} ago`;
}

const clock_format = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const minute_format = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day_format = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "2-digit", month: "short" });

export const clock = (unix) => clock_format.format(unix * 1000);
export const minute = (unix) => minute_format.format(unix * 1000);
export const day = (unix) => day_format.format(unix * 1000);

/*
 * A table's head from { name: class }, and its rows; or what to say when there
 * are none. Who stands on a button with data-keep goes on standing on it, and
 * what somebody is copying stays.
 */
export function fill_table(table, caption, columns, rows, empty) {
	const selection = getSelection();
	const kept = table.contains(document.activeElement) ? document.activeElement.dataset.keep : null;
	const head = el("tr", null, Object.entries(columns).map(([name, kind]) => el("th", { scope: "col", class: kind || null }, name)));
	const body = rows.length ? rows
		: [el("tr", null, el("td", { colspan: Object.keys(columns).length, class: "empty" }, empty))];

	if (!selection.isCollapsed && table.contains(selection.anchorNode))
		return;
	table.replaceChildren(el("caption", { class: "hidden" }, caption), el("thead", null, head), el("tbody", null, body));
	if (kept)
		[...table.querySelectorAll("[data-keep]")].find((other) => other.dataset.keep === kept)?.focus();
}

/* Radio buttons that look like one control. choose(key) is called on a change. */
export function choices(box, options, chosen, choose) {
	const name = box.id;

	box.replaceChildren(...options.map(([key, text]) => el("label", null,
		el("input", { type: "radio", name, value: key, checked: key === chosen, onchange: () => choose(key) }),
		el("span", null, text))));
}

export function verdict_mark(verdict) {
	return el("span", { class: `verdict ${verdict}` }, verdict);
}
