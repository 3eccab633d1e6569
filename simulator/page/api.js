/** The server of the simulator: reading its state, telling it what somebody does, hearing that something changed. */

import { toast } from "./notices.js";

const SILENT = "The simulator does not answer. Is it still running?";

/** What these people see; throws when the server cannot be reached. */
export async function readState(choice) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(choice)) if (value) query.set(name, value);
  const answer = await fetch(`/page/state?${query}`);
  if (!answer.ok) throw new Error((await words(answer)).error);
  return answer.json();
}

/** Only the clock: cheap enough to ask for often. */
export async function readClock() {
  const answer = await fetch("/page/clock");
  return answer.ok ? answer.json() : null;
}

/** Tell the server; returns its answer, or null after showing why not. */
export async function send(path, body) {
  try {
    const form = body instanceof FormData;
    const answer = await fetch(path, {
      method: "POST",
      headers: form ? {} : { "content-type": "application/json" },
      body: form ? body : JSON.stringify(body ?? {}),
    });
    const said = await words(answer);
    if (answer.ok && said.ok !== false) return said;
    toast(said.error ?? `The simulator refused this (${answer.status}).`, "error");
  } catch {
    toast(SILENT, "error");
  }
  return null;
}

async function words(answer) {
  try {
    return await answer.json();
  } catch {
    return { ok: false, error: `The simulator answered with an error (${answer.status}).` };
  }
}

/** Call `changed` at every change of the world, and `line` with true or false as the connection comes and goes. */
export function listen(changed, line) {
  const source = new EventSource("/page/events");
  source.addEventListener("open", () => { line(true); changed(Infinity); });
  source.addEventListener("error", () => line(false));
  source.addEventListener("message", (event) => changed(JSON.parse(event.data).version));
}
