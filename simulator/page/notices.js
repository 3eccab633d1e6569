/** What the page says of itself: toasts, words for screen readers, questions in a dialogue, pictures at full size. */

import { h, patch } from "./dom.js";

let toasts = [];
let next = 1;

/** Show a sentence for a while; `kind` is "error" or "note". The same sentence is not stacked twice. */
export function toast(text, kind = "note") {
  toasts = toasts.filter((one) => one.text !== text);
  const one = { id: next++, text, kind };
  toasts.push(one);
  drawToasts();
  setTimeout(() => dismiss(one.id), kind === "error" ? 9000 : 5000);
}

function dismiss(id) {
  toasts = toasts.filter((one) => one.id !== id);
  drawToasts();
}

function drawToasts() {
  for (const kind of ["error", "note"]) {
    patch(document.getElementById(`toasts-${kind}`), toasts.filter((one) => one.kind === kind).map((one) =>
      h("div", { key: one.id, class: `toast ${one.kind}` },
        h("span", {}, one.text),
        h("button", { type: "button", class: "plain", "aria-label": "Dismiss", on: { click: () => dismiss(one.id) } }, "×"))));
  }
}

/** Say something to a screen reader, without showing it. */
export function announce(text) {
  const line = document.createElement("p");
  line.textContent = text;
  const region = document.getElementById("announcements");
  region.append(line);
  setTimeout(() => line.remove(), 20000);
}

/** A dialogue over the page; resolves to true when confirmed. `deny` may be left out: then it only tells. */
export function ask({ title, text, confirm = "OK", deny = null, danger = false }) {
  return new Promise((resolve) => {
    const dialog = document.createElement("dialog");
    dialog.className = "ask";
    document.body.append(dialog);
    const end = (answer) => { dialog.close(); dialog.remove(); resolve(answer); };
    dialog.addEventListener("cancel", (event) => { event.preventDefault(); end(false); });
    patch(dialog, [
      h("h2", { id: "ask-title" }, title),
      h("p", {}, text),
      h("div", { class: "row end" },
        deny && h("button", { type: "button", class: "btn", on: { click: () => end(false) } }, deny),
        h("button", { type: "button", class: `btn ${danger ? "danger" : "primary"}`, autofocus: true,
          on: { click: () => end(true) } }, confirm)),
    ]);
    dialog.setAttribute("aria-labelledby", "ask-title");
    dialog.showModal();
  });
}

/** A file in a dialogue that a press of its button or Esc closes; returns the dialogue and what closes it. */
function openFile(className, name, content) {
  const dialog = document.createElement("dialog");
  dialog.className = className;
  dialog.setAttribute("aria-label", name);
  const end = () => { dialog.close(); dialog.remove(); };
  dialog.addEventListener("cancel", end);
  const close = h("button", { type: "button", class: "btn", autofocus: true, on: { click: end } }, "Close");
  patch(dialog, [content, close]);
  document.body.append(dialog);
  dialog.showModal();
  return [dialog, end];
}

/** A PDF, in the viewer of the browser. */
export function showDocument(url, name) {
  openFile("reader", name, h("iframe", { src: url, title: name }));
}

/** A picture at full size; Esc or a press anywhere closes it. */
export function enlarge(url, name) {
  const [dialog, end] = openFile("enlarge", name, h("img", { src: url, alt: name }));
  dialog.addEventListener("click", end);
}
