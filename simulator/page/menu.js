/** A button that opens a small layer: a menu of things to do, or any content. Esc and a press elsewhere close it. */

import { h } from "./dom.js";

const GAP = 6;

/**
 * `items`: [{label, hint, act, danger}]. The layer is a popover of the browser, so it lies above everything, returns focus to
 * its button and needs no state of ours.
 */
export function menu({ id, label, face, items, side = "down", cls = "btn", busy = false }) {
  return layer({
    id, label, face, side, cls, busy, role: "menu",
    content: items.map((item, i) => h("button", {
      key: item.label + i, type: "button", role: "menuitem", class: `item ${item.danger ? "danger" : ""}`, tabindex: "-1",
      on: { click: () => { hide(id); item.act(); } },
    }, h("span", {}, item.label), item.hint && h("small", {}, item.hint))),
  });
}

/** The button and its layer; `content` is any list of nodes. */
export function layer({ id, label, face, content, side = "down", cls = "btn", role = "dialog", busy = false }) {
  return h("span", { key: id, class: "layered" },
    h("button", {
      type: "button", class: cls, popovertarget: id, "aria-haspopup": role, "aria-label": label, title: label,
      "aria-busy": busy || null,
    }, face),
    h("div", {
      id, popover: "auto", role, "aria-label": label, class: `layer ${role}`,
      on: { toggle: (event) => event.newState === "open" && opened(event.target, side), keydown: role === "menu" ? keys : null },
    }, content));
}

export function hide(id) {
  const element = document.getElementById(id);
  if (element?.matches(":popover-open")) element.hidePopover();
}

function opened(element, side) {
  const button = document.querySelector(`[popovertarget="${CSS.escape(element.id)}"]`).getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = element;
  const up = side === "up" || button.bottom + GAP + height > innerHeight;
  element.style.left = `${Math.max(GAP, Math.min(button.left, innerWidth - width - GAP))}px`;
  element.style.top = `${Math.max(GAP, up ? button.top - GAP - height : button.bottom + GAP)}px`;
  element.querySelector("[autofocus], [role=menuitem], input, button")?.focus();
}

function keys(event) {
  const items = [...event.currentTarget.querySelectorAll("[role=menuitem]")];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (event.key === "Tab") hide(event.currentTarget.id);
  if (to === undefined) return;
  event.preventDefault();
  items[(to + items.length) % items.length]?.focus();
}
