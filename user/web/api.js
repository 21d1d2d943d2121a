// SPDX-License-Identifier: BSD-2-Clause
// Asks this moatd, and nobody else.

const KEPT = "moat-token";
const TIMEOUT_MS = 10000;
const SILENCE_MS = 40000; /* a stream has a heartbeat every 15 s */

/* The token lives as long as the tab. */
export const token = {
	get: () => sessionStorage.getItem(KEPT) ?? "",
	set: (text) => (text ? sessionStorage.setItem(KEPT, text) : sessionStorage.removeItem(KEPT)),
};

/* Told when a token is no good any more: it is forgotten, so that nobody asks with it again and again. */
let on_token_lost = () => {};

export function when_token_lost(fn) {
	on_token_lost = fn;
}

/* What moatd says is wrong; status 0: it did not answer. */
export class Problem extends Error {
	constructor(status, detail, cause = null) {
		super(detail);
		this.status = status;
		this.cause_label = cause;
	}
}

function headers_for(accept, secret, body) {
	const headers = { Accept: accept };

	if (secret)
		headers.Authorization = `Bearer ${secret}`;
	if (body)
		headers["Content-Type"] = "application/json";
	return headers;
}

function url_of(path, query) {
	const words = new URLSearchParams(Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== ""));
	const text = words.toString();

	return text ? `${path}?${text}` : path;
}

async function problem_of(answer, secret) {
	if (answer.status === 401 && secret && secret === token.get()) {
		token.set("");
		on_token_lost();
	}
	try {
		const said = await answer.json();
		return new Problem(answer.status, said.detail ?? said.title ?? `HTTP ${answer.status}`, said.cause ?? null);
	} catch {
		return new Problem(answer.status, `HTTP ${answer.status}`);
	}
}

/* with: another token than the one that is kept. */
export async function ask(method, path, { query, body, with: secret = token.get() } = {}) {
	let answer;

	try {
		answer = await fetch(url_of(path, query), {
			method,
			headers: headers_for("application/json", secret, body),
			body: body ? JSON.stringify(body) : undefined,
			signal: AbortSignal.timeout(TIMEOUT_MS),
			cache: "no-store",
			credentials: "omit",
			redirect: "error",
		});
	} catch (why) {
		throw new Problem(0, why.name === "TimeoutError" ? "moatd does not answer in time" : "moatd does not answer");
	}
	if (!answer.ok)
		throw await problem_of(answer, secret);
	return answer.json();
}

export const get = (path, query) => ask("GET", path, { query });

/* One event of a stream: lines "event: NAME" and "data: TEXT". */
function parse_event(text) {
	let name = "message";
	const data = [];

	for (const line of text.split(/\r?\n/)) {
		if (line.startsWith("event:"))
			name = line.slice(6).trim();
		else if (line.startsWith("data:"))
			data.push(line.slice(5).replace(/^ /, ""));
	}
	return data.length ? { name, data: data.join("\n") } : null;
}

async function read_stream(answer, heard, fn) {
	const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
	let rest = "";

	for (;;) {
		const { done, value } = await reader.read();

		if (done)
			return;
		heard();
		rest += value;
		if (rest.length > 1 << 22)
			throw new Problem(0, "an event without end");
		const parts = rest.split(/\r?\n\r?\n/);
		rest = parts.pop();
		for (const part of parts) {
			const event = parse_event(part);
			if (event)
				fn(event.name, JSON.parse(event.data));
		}
	}
}

/*
 * Server-sent events until signal aborts; by fetch(), which can carry the
 * token. Throws a Problem when the stream is refused or ends.
 */
export async function stream(path, query, signal, fn) {
	const ended = new AbortController();
	const secret = token.get();
	const both = AbortSignal.any([signal, ended.signal]);
	let timer = 0;
	const heard = () => {
		clearTimeout(timer);
		timer = setTimeout(() => ended.abort(), SILENCE_MS);
	};

	heard();
	try {
		const answer = await fetch(url_of(path, query), {
			headers: headers_for("text/event-stream", secret),
			signal: both,
			cache: "no-store",
			credentials: "omit",
			redirect: "error",
		});
		if (!answer.ok)
			throw await problem_of(answer, secret);
		await read_stream(answer, heard, fn);
	} catch (why) {
		throw why instanceof Problem ? why : new Problem(0, "the stream ended");
	} finally {
		clearTimeout(timer);
	}
	throw new Problem(0, "the stream ended");
}
