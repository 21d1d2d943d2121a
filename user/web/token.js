// SPDX-License-Identifier: BSD-2-Clause
// The dialog that takes a token.
import { token } from "./api.js";
import { by_id } from "./format.js";
import { refresh } from "./live.js";

let then = null;

export function show_token() {
	by_id("token-button").textContent = token.get() ? "Signed in" : "Sign in";
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

export function set_up_token() {
	by_id("token-button").addEventListener("click", () => open_token());
	by_id("token-cancel").addEventListener("click", () => by_id("token-dialog").close());
	by_id("token-forget").addEventListener("click", () => keep(""));
	by_id("token-form").addEventListener("submit", (event) => {
		const text = by_id("token").value.trim();

		event.preventDefault();
		/* What a header can carry; anything else was pasted by mistake. */
		if (!/^[\x21-\x7e]{8,256}$/.test(text)) {
			by_id("token-problem").textContent = "That is no token: one word, as moatctl token new printed it.";
			return;
		}
		keep(text);
		by_id("token").value = "";
		then?.();
		then = null;
	});
	show_token();
}
