/** "Start here": what a newcomer sees on this page and can try, in four steps; hidden once it was read. */

import { h } from "./dom.js";

const KEY = "amends-guide-hidden";

const STEPS = [
  ["Be a customer", "The phone on the left is a customer's. Press Start or write what went wrong. Photos, voice notes and PDFs work too."],
  ["Be the staff", "The workspace on the right is the staff's. Open the card of the complaint and press Assess."],
  ["Move the clock", "What was promised falls due. Press To next due above, and see what the desk does on its own."],
  ["Change sides", "Choose another customer, also with another language, or another member of staff by the names above each side."],
];

export const guide = {
  hidden: read(),

  /** Show or hide it; the browser remembers that it was hidden. */
  toggle(app) {
    guide.hidden = !guide.hidden;
    try { localStorage.setItem(KEY, guide.hidden ? "1" : ""); } catch { /* Storage is off: it shows again next time. */ }
    app.draw();
  },

  /** The button in the bar. */
  button(app) {
    return h("button", { type: "button", class: "btn", "aria-expanded": !guide.hidden, on: { click: () => guide.toggle(app) } }, "Start here");
  },

  /** The steps. */
  panel(app) {
    if (guide.hidden) return null;
    return h("section", { key: "guide", class: "guide", "aria-label": "Start here" },
      h("ol", {}, STEPS.map(([title, text]) => h("li", {}, h("b", {}, title), " ", text))),
      h("button", { type: "button", class: "btn small", on: { click: () => guide.toggle(app) } }, "Hide this"));
  },
};

function read() {
  try { return Boolean(localStorage.getItem(KEY)); } catch { return false; }
}
