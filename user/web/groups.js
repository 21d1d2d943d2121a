// SPDX-License-Identifier: BSD-2-Clause
// Series, joined by what somebody wants to tell apart.

export const BY = {
	reason: { text: "Reason", of: (s) => [s.verdict, s.reason ?? "other", s.category ?? ""] },
	category: { text: "Category", of: (s) => [s.verdict, "", s.category ?? ""] },
	interface: { text: "Interface", of: (s) => [s.verdict, "", s.interface ?? "other"] },
};

/* The most that are told apart on the chart; the table has all. */
const SHOWN_MAX = 7;

export const is_pass = (group) => group.verdict === "pass";

function add_column(sum, column) {
	for (let i = 0; i < column.length; i++)
		if (column[i] !== null)
			sum[i] = (sum[i] ?? 0) + column[i];
}

/* Groups by key, with a column each, in the order of what came most: one that changes seldom. */
export function group(columns, by, unit) {
	const groups = new Map();
	const factor = unit === "bytes" ? 8 : 1; /* bits are what a line is measured in */

	for (const s of columns.series.values()) {
		const words = BY[by].of(s);
		const key = words.join("|");
		let g = groups.get(key);

		if (!g) {
			g = { key, verdict: words[0], reason: words[1], name: words[2], now: 0, packets_total: 0, bytes_total: 0, values: columns.times.map(() => null) };
			groups.set(key, g);
		}
		add_column(g.values, s[unit]);
		g.now += s[`now_${unit}`];
		g.packets_total += s.packets_total;
		g.bytes_total += s.bytes_total;
	}
	for (const g of groups.values()) {
		let sum = 0, known = 0;
		for (let i = 0; i < g.values.length; i++) {
			if (g.values[i] === null)
				continue;
			g.values[i] *= factor;
			sum += g.values[i];
			known++;
		}
		g.now *= factor;
		g.mean = known ? sum / known : 0;
	}
	return [...groups.values()].sort((a, b) => is_pass(a) - is_pass(b) || b[`${unit}_total`] - a[`${unit}_total`] || (a.key < b.key ? -1 : 1));
}

/* Those that the chart shows, smallest last; what is too many becomes one. */
export function to_show(groups, hidden) {
	const shown = groups.filter((g) => !hidden(g));

	if (shown.length <= SHOWN_MAX)
		return shown;
	const rest = shown.slice(SHOWN_MAX - 1);
	const values = rest[0].values.map((_, i) => rest.reduce((sum, g) => (g.values[i] === null ? sum : (sum ?? 0) + g.values[i]), null));
	return [...shown.slice(0, SHOWN_MAX - 1), { key: "rest", verdict: "", reason: "", name: `${rest.length} others`, values }];
}

/* Colours go by name, so that a series keeps its own while the page is open. */
const given = new Map();

export function colour_of(g) {
	if (g.key === "rest")
		return "var(--series-rest)";
	if (is_pass(g) && g.reason === "clean")
		return "var(--series-pass)";
	if (!given.has(g.key))
		given.set(g.key, given.size % 8);
	return `var(--series-${given.get(g.key)})`;
}
