// SPDX-License-Identifier: BSD-2-Clause
// Dark, light, or as the system has it.

const KEPT = "moat-theme";
const THEMES = ["auto", "light", "dark"];

export function set_up_theme(button, changed) {
	let theme = THEMES.includes(localStorage.getItem(KEPT)) ? localStorage.getItem(KEPT) : "auto";
	const show = () => {
		document.documentElement.dataset.theme = theme;
		button.querySelector("span").textContent = theme;
		button.setAttribute("aria-label", `Colours: ${theme === "auto" ? "as the system has them" : theme}`);
	};

	button.addEventListener("click", () => {
		theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
		localStorage.setItem(KEPT, theme);
		show();
		changed();
	});
	show();
}
