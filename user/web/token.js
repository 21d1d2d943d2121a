// SPDX-License-Identifier: BSD-2-Clause
// The dialog that takes a token.
import { ask, token, when_token_lost } from "./api.js";
import { by_id, el } from "./format.js";
import { refresh } from "./live.js";

let then = null;

let who = ""; /* the token's name */

function show_token() {
	const name = token.get() && who ? el("span", { class: "wide" }, `: ${who}`) : "";

	by_id("token-button").replaceChildren(token.get() ? "Signed in" : "Sign in", name);
}

async function ask_who(secret) {
	who = (await ask("GET", "api/v1/whoami", { with: secret })).token?.name ?? "";
}

/* fn is called when there is one. */
export function open_token(fn = null) {
	then = fn;
	by_id("token").value = "";
	by_id("token-problem").textContent = "";
	by_id("token-forget").hidden = !token.get();
	by_id("token-dialog").showModal();
}

function keep(text) {
	token.set(text);
	by_id("token-dialog").close();
	show_token();
	refresh();
}

/* Tried once before it is kept: a wrong one is not sent again and again. */
async function try_token(text) {
	const problem = by_id("token-problem");

	/* What a header can carry; anything else was pasted by mistake. */
	if (!/^[\x21-\x7e]{8,256}$/.test(text)) {
		problem.textContent = "That is no token: one word, as moatctl token new printed it.";
		return;
	}
	problem.textContent = "";
	try {
		await ask_who(text);
	} catch (why) {
		problem.textContent = why.message;
		return;
	}
	keep(text);
	by_id("token").value = "";
	then?.();
	then = null;
}

export function set_up_token() {
	by_id("token-button").addEventListener("click", () => open_token());
	by_id("token-cancel").addEventListener("click", () => by_id("token-dialog").close());
	by_id("token-forget").addEventListener("click", () => keep(""));
	by_id("token-form").addEventListener("submit", (event) => {
		event.preventDefault();
		try_token(by_id("token").value.trim());
	});
	when_token_lost(show_token);
	show_token();
	if (token.get())
		ask_who(token.get()).then(show_token, show_token);
}
