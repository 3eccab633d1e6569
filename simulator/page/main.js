/** Ties the page together: what is chosen, the latest state, and drawing both again at every change. */

import { listen, readClock, readState, send } from "./api.js";
import { bar } from "./bar.js";
import { desk } from "./desk.js";
import { h, patch } from "./dom.js";
import { guide } from "./guide.js";
import { toast } from "./notices.js";
import { hear } from "./news.js";
import { customerPicker, newcomer, staffPicker } from "./people.js";
import { phone } from "./phone.js";
import { useZone } from "./time.js";

const root = document.getElementById("app");
const READ_AGAIN = 15000;
let line = Promise.resolve();

const app = {
  state: null,
  choice: fromAddress(),
  home: false,
  connected: true,
  ui: { drafts: new Map(), errors: new Map(), filter: "", editing: null, replying: null },
  pending: new Set(),

  /** Draw again after a change of `ui`. */
  draw,

  /** Look at something else: {customer}, {staff}, {channel}, {thread}; other choices stay. */
  choose(change) {
    Object.assign(app.choice, change);
    toAddress();
    draw();
    return refresh();
  },

  /**
   * Tell the server; resolves to its answer or null. `key` marks what is busy meanwhile: a second press on it does nothing. Acts
   * without one are sent one after another, so that two quick messages arrive, and arrive in order.
   */
  async act(path, body, key = null) {
    if (key && app.pending.has(key)) return null;
    if (key) app.pending.add(key);
    draw();
    const sent = key ? send(path, body) : (line = line.then(() => send(path, body)));
    const answer = await sent;
    await refresh();
    app.pending.delete(key);
    draw();
    return answer;
  },

  customer() { return app.state.customers.find((one) => one.id === app.choice.customer) ?? null; },
  member() { return app.state.staff.find((one) => one.id === app.choice.staff) ?? null; },
  now() { return app.state.clock.now; },
};

function fromAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  return {
    customer: Number(given.get("customer")) || null, staff: given.get("staff"),
    channel: given.get("channel"), thread: given.get("thread"), limit: null,
  };
}

function toAddress() {
  const query = new URLSearchParams();
  for (const name of ["customer", "staff", "channel", "thread"]) {
    if (app.choice[name]) query.set(name, app.choice[name]);
  }
  history.replaceState(null, "", `#${query}`);
}

let reading = null;
let again = false;

/** Read the state; calls that come meanwhile share one more reading, so that the last one is never missed. */
function refresh() {
  if (reading) {
    again = true;
    return reading;
  }
  reading = (async () => {
    try {
      do {
        again = false;
        const asked = { ...app.choice };
        const state = await readState(asked);
        // An answer about something no longer looked at must not flash up.
        const current = ["customer", "staff", "channel", "thread"].every((name) => asked[name] === app.choice[name]);
        if (current) accept(state);
        else again = true;
      } while (again);
      online(true);
    } catch (error) {
      // The address may name somebody or a place of an earlier world: then what is there is shown instead.
      if (!(error instanceof TypeError) && forget()) setTimeout(refresh);
      else online(false, error);
    } finally {
      reading = null;
    }
  })();
  return reading;
}

/** Let go of everything chosen; false when nothing was. */
function forget() {
  const had = Object.values(app.choice).some(Boolean);
  app.choice = { customer: null, staff: null, channel: null, thread: null, limit: null };
  return had;
}

function accept(state) {
  const before = app.state;
  app.state = state;
  useZone(state.clock.zone);
  if (settle()) again = true;
  hear(app, before);
  draw();
}

/** Choose what has to be chosen for the page to show something; true when that needs another reading. */
function settle() {
  const { customers, staff, workspace } = app.state;
  const was = JSON.stringify(app.choice);
  if (!customers.some((one) => one.id === app.choice.customer)) app.choice.customer = newcomer(customers)?.id ?? null;
  if (!staff.some((one) => one.id === app.choice.staff)) app.choice.staff = staff[0]?.id ?? null;
  if (workspace && workspace.staff === app.choice.staff) {
    const seen = [...workspace.channels, ...workspace.direct];
    if (!seen.some((one) => one.id === app.choice.channel)) {
      app.choice.channel = seen[0]?.id ?? null;
      app.choice.thread = null;
    }
  }
  if (JSON.stringify(app.choice) === was) return false;
  toAddress();
  return true;
}

function online(on, error) {
  if (app.connected === on) return;
  app.connected = on;
  if (!on) toast(error instanceof TypeError ? "The simulator does not answer. Trying again." : error.message, "error");
  draw();
}

function draw() {
  if (!app.state) return;
  root.querySelector(":scope > .loading")?.remove();
  const unread = app.state.customers.concat(app.state.staff).reduce((sum, one) => sum + (one.unread ?? 0), 0);
  document.title = `${unread ? `(${unread}) ` : ""}${app.state.bot.name || "Amends"} demo`;
  patch(root, [
    bar(app),
    guide.panel(app),
    h("main", { key: "main" },
      h("div", { class: "side-a" }, customerPicker(app), phone(app)),
      h("div", { class: "side-b" }, staffPicker(app), desk(app))),
  ]);
}

async function tick() {
  const clock = await readClock().catch(() => null);
  if (!clock || !app.state) return;
  app.state.clock = { ...app.state.clock, ...clock };
  draw();
}

window.addEventListener("hashchange", () => app.choose(fromAddress()));
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refresh());
setInterval(tick, READ_AGAIN);
// A broken line is judged by the next reading, which also says why.
listen((version) => { if (!app.state || version > app.state.version) refresh(); }, (on) => { if (!on) refresh(); });
refresh();
