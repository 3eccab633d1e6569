/** The strip above both sides: the clock of the simulated world, and its troubles. */

import { h, icon } from "./dom.js";
import { guide } from "./guide.js";
import { announce } from "./notices.js";
import { clockText, whenText } from "./time.js";

/** The bar. */
export function bar(app) {
  return h("header", { key: "bar", class: "bar" },
    h("img", { src: "/static/mark.svg", alt: "", width: "30", height: "30" }),
    h("h1", {}, "Amends", h("small", {}, "demo")),
    guide.button(app),
    clock(app),
    h("span", { class: "grow" }),
    troubles(app));
}

function clock(app) {
  const { clock: { now, movable, next_due: due } } = app.state;
  const busy = app.pending.has("clock");
  const move = async (body) => {
    if (await app.act("/page/clock", body, "clock")) announce(`It is now ${clockText(app.state.clock.now)}`);
  };
  const button = (label, body, off = false) => h("button", {
    type: "button", class: "btn", disabled: busy || !movable || off,
    title: movable ? null : "This world runs in real time: its clock cannot be moved.",
    on: { click: () => move(body) },
  }, label);
  return h("div", { class: `clock ${busy ? "moving" : ""}`, role: "group", "aria-label": "Clock", "aria-busy": busy || null },
    h("span", { class: "now" }, icon("clock"), h("time", { datetime: now, "aria-label": `Now ${clockText(now)}` }, clockText(now))),
    button("+1 h", { advance_seconds: 3600 }),
    button("+1 day", { advance_seconds: 86400 }),
    button(["To next due", due
      ? h("span", { class: "due" }, `: ${due.label}, ${whenText(due.at, now)}`)
      : h("span", { class: "due" }, ": nothing is owed")], { to: "next_due" }, !due),
    h("span", { class: "progress", role: "status" }, busy ? "Moving the clock…" : ""));
}

function troubles(app) {
  const { trouble } = app.state;
  const customer = app.customer();
  return h("div", { class: "troubles", role: "group", "aria-label": "Trouble" },
    toggle(app, "Telegram down", trouble.telegram_down, "/page/trouble", { telegram_down: !trouble.telegram_down }),
    toggle(app, "Slack down", trouble.slack_down, "/page/trouble", { slack_down: !trouble.slack_down }),
    customer && toggle(app, `${customer.name} blocks the bot`, customer.blocked,
      `/page/customers/${customer.id}/block`, { blocked: !customer.blocked }));
}

function toggle(app, label, on, path, body) {
  return h("button", {
    key: Object.keys(body)[0], type: "button", role: "switch", class: "switch", "aria-checked": Boolean(on),
    on: { click: () => app.act(path, body) },
  }, h("i", {}), h("span", {}, label));
}
