/** Block Kit as nodes: messages, the home and modal views share it; what a press does differs by `place`. */

import { h } from "./dom.js";
import { element } from "./elements.js";
import { field } from "./fields.js";
import { enlarge } from "./notices.js";
import { plainOf, richText, textOf } from "./text.js";

/** The blocks of a post. */
export function postBlocks(app, open, post) {
  const where = { channel: open.channel, ts: post.ts };
  return blocks(app, post.blocks, {
    id: `p${post.ts.replace(".", "-")}`, value: () => undefined, ...acting(app, post.ts, () => where, post.busy),
  });
}

/** The blocks of the home. */
export function homeBlocks(app, list) {
  return blocks(app, list, { id: "home", value: () => undefined, ...acting(app, "home", () => ({ home: true })) });
}

/** The blocks of a view. `place` is given by the view, because it knows what was typed. */
export function viewBlocks(app, list, place) {
  return blocks(app, list, place);
}

/**
 * How a press or a choice is told to the server, and whether one is under way. `where()` says which message or view it stands
 * in, `name` tells these apart, `waiting` are the presses that the app has not acknowledged yet.
 */
export function acting(app, name, where, waiting = []) {
  const mark = (block, part) => `${app.choice.staff} ${name} ${block.block_id}/${part.action_id}/${part.value ?? ""}`;
  return {
    isBusy: (block, part) => waiting.includes(`${block.block_id}/${part.action_id}`) || app.pending.has(mark(block, part)),
    act(kind, block, part, value) {
      const body = { ...where(), block_id: block.block_id, action_id: part.action_id };
      if (kind === "select") body.value = value;
      else if (part.value !== undefined) body.value = part.value;
      return app.act(`/page/staff/${app.choice.staff}/${kind}`, body, mark(block, part));
    },
  };
}

function blocks(app, list, place) {
  return h("div", { class: "blocks" }, list.map((block, i) => {
    const drawn = one(app, block, place);
    return drawn && h("div", { key: block.block_id ?? `b${i}`, class: `block ${block.type}` }, drawn);
  }));
}

function one(app, block, place) {
  const now = app.now();
  switch (block.type) {
    case "header": return h("h3", {}, textOf(block.text, now));
    case "section": return section(app, block, place);
    case "context": return block.elements.map((part) => part.type === "image"
      ? h("img", { src: part.image_url, alt: part.alt_text, class: "tiny" })
      : h("span", {}, textOf(part, now)));
    case "actions": return block.elements.map((part) => element(app, block, part, place));
    case "divider": return h("hr", {});
    case "image": return h("figure", {},
      h("button", { type: "button", class: "picture", "aria-label": `${block.alt_text}, enlarge`, on: { click: () => enlarge(block.image_url, block.alt_text) } },
        h("img", { src: block.image_url, alt: block.alt_text })),
      block.title && h("figcaption", {}, plainOf(block.title)));
    case "input": return field(app, block, place);
    case "rich_text": return richText(block.elements, names(app), now);
    case "markdown": return h("div", { class: "text" }, block.text);
    case "table": case "data_table": return table(app, block);
    case "alert": return h("p", { class: `text ${block.level ?? "default"}`, role: "note" }, textOf(block.text, now));
    case "container": return h("details", { open: !block.default_collapsed },
      h("summary", {}, plainOf(block.title)), blocks(app, block.child_blocks, place));
    case "data_visualization": return chart(block);
    default: return h("p", { class: "faint" }, `(a block of kind ${block.type}, not drawn here)`);
  }
}

function section(app, block, place) {
  const now = app.now();
  return [
    h("div", { class: "section-text" },
      block.text && h("div", { class: "text", dir: "auto" }, textOf(block.text, now)),
      block.fields && h("div", { class: "fields" }, block.fields.map((part) => h("div", { class: "text" }, textOf(part, now))))),
    block.accessory && element(app, block, block.accessory, place),
  ];
}

/** A chart as a table with a bar at each figure. */
function chart(block) {
  const { series, axis_config: axis } = block.chart;
  const most = Math.max(1, ...series.flatMap((one) => one.data.map((point) => point.value)));
  return h("table", {}, h("caption", {}, block.title),
    h("tbody", {}, axis.categories.flatMap((name, i) => series.map((one) => h("tr", {},
      h("th", { scope: "row" }, series.length > 1 ? `${name}, ${one.name}` : name), h("td", {}, `${one.data[i].value}`),
      h("td", {}, h("meter", { min: "0", max: `${most}`, value: `${one.data[i].value}`, "aria-hidden": "true" })))))));
}

function table(app, block) {
  const cell = (part) => part.type === "rich_text" ? richText(part.elements, names(app), app.now()) : part.text;
  const [first, ...rest] = block.rows;
  return h("table", {}, block.caption && h("caption", {}, block.caption),
    h("thead", {}, h("tr", {}, first.map((part) => h("th", { scope: "col" }, cell(part))))),
    h("tbody", {}, rest.map((row) => h("tr", {}, row.map((part) => h("td", {}, cell(part)))))));
}

function names(app) {
  const people = Object.fromEntries(app.state.staff.map((one) => [one.id, one.name]));
  const channels = Object.fromEntries((app.state.workspace?.channels ?? []).map((one) => [one.id, one.name]));
  return { ...people, ...channels };
}
