/** Modals: a stack of views over the desk, the top one alive. What is typed is kept by view, block and action. */

import { acting, viewBlocks } from "./blocks.js";
import { h, icon } from "./dom.js";
import { safe } from "./elements.js";

const CONTROLS = "input:not([type=hidden]), select, textarea";
let shown = null;
let returnTo = null;
const pointed = new Map();

/** The stack of one member. */
export function modal(app, views) {
  const top = views.at(-1);
  remember(top);
  if (!top) return null;
  return h("div", { key: "modal", class: "veil", on: { keydown: (event) => escape(event, app, top) } },
    h("div", { class: `stack depth-${views.length}` },
      // Only the top view is drawn in full; the ones below show as edges, and keep what was typed in `drafts`.
      views.slice(0, -1).map((view) => h("div", { key: view.id, class: "edge", "aria-hidden": "true" }, view.title)),
      dialog(app, top, views.length)));
}

/** Where the focus came from is noted when the first view opens, and restored when the last one is gone. */
function remember(top) {
  if (top && !shown) {
    const from = document.activeElement;
    returnTo = { element: from, post: from?.closest?.("[data-ts]")?.dataset.ts, name: from?.textContent };
  }
  if (!top && shown) requestAnimationFrame(giveBack);
  shown = top?.id ?? null;
}

function giveBack() {
  const { element, post, name } = returnTo ?? {};
  returnTo = null;
  if (document.activeElement !== document.body && document.activeElement?.isConnected) return;
  if (element?.isConnected && element !== document.body) return element.focus();
  const card = post && document.querySelector(`[data-ts="${CSS.escape(post)}"]`);
  const again = card && [...card.querySelectorAll("button")].find((button) => button.textContent === name);
  (again ?? card ?? document.querySelector(".places [aria-current]"))?.focus();
  return undefined;
}

function escape(event, app, top) {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  event.preventDefault();
  close(app, top);
}

function close(app, view, all = false) {
  app.act(`/page/staff/${app.choice.staff}/close`, { view_id: view.id, ...(all ? { all: true } : {}) });
}

function dialog(app, view, depth) {
  const id = `v${safe(view.id)}`;
  const busy = view.busy || app.pending.has(`submit-${view.id}`);
  const errors = { ...view.errors, ...app.ui.errors.get(view.id) };
  const complaint = Object.entries(errors).find(([block]) => !view.blocks.some((one) => one.block_id === block));
  pointOut(id, view, errors);
  const closing = view.close || (depth > 1 ? "Back" : "Close");
  // A form may not have the role of a dialogue.
  return h("div", {
    key: view.id, id, class: "dialog sheet", role: "dialog", "aria-labelledby": `${id}-title`, tabindex: "-1",
    "aria-busy": busy || null, ref: (element) => focusFirst(element, view),
  }, h("form", { novalidate: true, on: { submit: (event) => { event.preventDefault(); submit(app, view); } } },
  h("header", { class: "title" },
    // The arrow, and the cross of a single view, only repeat the button at the foot: for the mouse alone.
    depth > 1 && h("button", { type: "button", class: "plain", "aria-hidden": "true", tabindex: "-1", on: { click: () => close(app, view) } },
      icon("back")),
    h("h2", { id: `${id}-title` }, view.title), h("span", { class: "grow" }),
    h("button", {
      type: "button", class: "plain", on: { click: () => close(app, view, true) },
      ...(depth > 1 ? { "aria-label": "Close all", title: "Close all" } : { "aria-hidden": "true", tabindex: "-1" }),
    }, icon("close"))),
  h("div", { class: "dialog-body", tabindex: "-1" },
    (view.notice || complaint) && h("p", { class: "line warn", role: "alert" }, view.notice || complaint[1]),
    viewBlocks(app, view.blocks, placeOf(app, view, id, errors))),
  h("footer", {},
    h("span", { class: "faint", role: "status" }, busy ? "Sending…" : ""),
    h("button", { type: "button", class: "btn", on: { click: () => close(app, view) } }, closing),
    view.submit && h("button", { type: "submit", class: "btn primary", "aria-busy": busy || null }, view.submit))));
}

function placeOf(app, view, id, errors) {
  const key = (block, part) => `${view.id}|${block.block_id}|${part.action_id}`;
  const { drafts } = app.ui;
  return {
    id,
    ...acting(app, view.id, () => ({ view_id: view.id, values: valuesOf(app, view) })),
    needed: (block) => block.type === "input" && !block.optional,
    value: (block, part) => drafts.get(key(block, part)) ?? view.values?.[block.block_id]?.[part.action_id],
    draft(block, part, value) {
      drafts.set(key(block, part), value ?? "");
      const own = app.ui.errors.get(view.id);
      if (own?.[block.block_id]) {
        delete own[block.block_id];
        pointed.set(view.id, JSON.stringify({ ...view.errors, ...own }));
      }
    },
    error: (block) => errors[block.block_id] ?? null,
  };
}

/** Everything that stands in the view's controls, as the server wants it. */
function valuesOf(app, view) {
  const out = {};
  for (const block of view.blocks) {
    const parts = block.type === "input" ? [block.element] : [...(block.elements ?? []), block.accessory].filter(Boolean);
    for (const part of parts) {
      if (!part.action_id || part.type === "button" || part.type === "overflow") continue;
      const typed = app.ui.drafts.get(`${view.id}|${block.block_id}|${part.action_id}`);
      const value = typed ?? view.values?.[block.block_id]?.[part.action_id] ?? null;
      (out[block.block_id] ??= {})[part.action_id] = value === "" ? null : value;
    }
  }
  return out;
}

async function submit(app, view) {
  if (!view.submit) return;
  const answer = await app.act(`/page/staff/${app.choice.staff}/submit`, { view_id: view.id, values: valuesOf(app, view) }, `submit-${view.id}`);
  app.ui.errors.set(view.id, answer?.sent === false ? { ...answer.errors } : {});
  app.draw();
}

/** The first field with something wrong gets the focus, once for each new set of errors. */
function pointOut(id, view, errors) {
  const now = JSON.stringify(errors);
  if (now === (pointed.get(view.id) ?? "{}")) return;
  pointed.set(view.id, now);
  requestAnimationFrame(() => {
    const wrong = document.getElementById(id)?.querySelector(".wrong");
    wrong?.scrollIntoView({ block: "center" });
    wrong?.querySelector(CONTROLS)?.focus({ preventScroll: true });
  });
}

function focusFirst(element, view) {
  const wanted = view.blocks.find((block) => (block.element ?? block.accessory)?.focus_on_load);
  const first = wanted
    ? element.querySelector(`[id^="${element.id}-${CSS.escape(safe(wanted.block_id))}-"]`)
    : element.querySelector(".dialog-body")?.querySelector(CONTROLS);
  (first ?? element).focus({ preventScroll: !wanted });
}
