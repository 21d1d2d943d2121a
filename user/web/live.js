// SPDX-License-Identifier: BSD-2-Clause
// What is asked for again and again, while somebody looks at the page.
import { stream } from "./api.js";

const tasks = new Set();
const RETRY_MS = 1000;
const RETRY_MAX_MS = 30000;

/* Not all dashboards at once after a restart. */
const spread = (ms) => ms * (0.75 + Math.random() / 2);

/*
 * Calls fn at once and every so many seconds, never twice at a time, and not
 * while the page is hidden. What it throws goes to failed(). Returns the task,
 * whose now() asks at once.
 */
export function every(seconds, fn, failed) {
	const task = { timer: 0, running: false, again: false };

	task.now = async () => {
		if (task.running) {
			task.again = true;
			return;
		}
		clearTimeout(task.timer);
		task.running = true;
		try {
			await fn();
		} catch (why) {
			failed(why);
		}
		task.running = false;
		if (!document.hidden)
			task.timer = setTimeout(task.now, task.again ? 0 : seconds * 1000);
		task.again = false;
	};
	task.stop = () => clearTimeout(task.timer);
	tasks.add(task);
	task.now();
	return task;
}

/*
 * Follows a stream for as long as the page is looked at; query() says which.
 * heard(name, data) for each event; lost(why) when it ends, before it is tried
 * again, later and later.
 */
export function follow(path, query, heard, lost) {
	const task = { timer: 0, wait: RETRY_MS, ended: null };

	task.now = async () => {
		clearTimeout(task.timer);
		task.stop();
		const mine = (task.ended = new AbortController());
		try {
			await stream(path, query(), mine.signal, (name, data) => {
				task.wait = RETRY_MS;
				heard(name, data);
			});
		} catch (why) {
			if (mine.signal.aborted)
				return;
			lost(why);
		}
		task.timer = setTimeout(task.now, spread(task.wait));
		task.wait = Math.min(task.wait * 2, RETRY_MAX_MS);
	};
	task.stop = () => {
		clearTimeout(task.timer);
		task.ended?.abort();
	};
	tasks.add(task);
	task.now();
	return task;
}

/* At once, all of them: the token is another one. */
export function refresh() {
	for (const task of tasks)
		task.now();
}

document.addEventListener("visibilitychange", () => {
	for (const task of tasks)
		document.hidden ? task.stop() : task.now();
});
