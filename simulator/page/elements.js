/** What can be pressed or chosen: buttons, selects, overflow menus, pickers, ticks. */

import { h, icon } from "./dom.js";
import { send } from "./api.js";
import { menu } from "./menu.js";
import { ask } from "./notices.js";
import { plainOf, textOf } from "./text.js";
import { fromLocalInput, toLocalInput } from "./time.js";

const PICKERS = { datepicker: "date", timepicker: "time", datetimepicker: "datetime-local" };
const WORDS = {
  static_select: "Choose", external_select: "Choose", users_select: "Choose a person", conversations_select: "Choose a channel",
  channels_select: "Choose a channel", overflow: "More actions",
};

/** An element that acts at once, in a section or an actions block. */
export function element(app, block, part, place) {
  const name = part.accessibility_label ?? (plainOf(part.placeholder) || WORDS[part.type] || part.action_id);
  const change = async (value) => {
    if (await confirmed(part)) place.act("select", block, part, value);
  };
  const naming = { "aria-label": name };
  switch (part.type) {
    case "button": return button(app, block, part, place);
    case "overflow": return overflow(part, name, place, block);
    case "image": return h("img", { class: "accessory", src: part.image_url, alt: part.alt_text });
    default: return choice(app, block, part, place, naming, change);
  }
}

/** Whatever lets one choose a value; `named` are the attributes that name it, `change` takes the new VALUE. */
export function choice(app, block, part, place, named, change) {
  const value = current(block, part, place);
  if (part.type in PICKERS) return picker(part, value, named, change, place, block);
  if (part.type === "checkboxes" || part.type.startsWith("multi_")) return ticks(app, block, part, place, named, change, value ?? []);
  if (part.type === "radio_buttons") return radios(app, block, part, place, named, change, value);
  if (part.type.endsWith("_select")) return select(app, block, part, place, named, change, value);
  if (part.type === "file_input") return fileInput(app, part, named, change);
  return h("p", { class: "faint" }, `(an element of kind ${part.type}, not drawn here)`);
}

function current(block, part, place) {
  const typed = place.value(block, part);
  if (typed !== undefined) return typed;
  const many = part.initial_options?.map((option) => option.value);
  return many ?? part.initial_option?.value ?? part.initial_user ?? part.initial_conversation ?? part.initial_channel
    ?? part.initial_date ?? part.initial_time ?? part.initial_date_time ?? null;
}

function button(app, block, part, place) {
  const busy = place.isBusy(block, part);
  const press = async () => {
    if (!(await confirmed(part))) return;
    if (part.url) window.open(part.url, "_blank", "noopener");
    place.act("press", block, part);
  };
  return h("button", {
    key: `${part.action_id}/${part.value ?? ""}`, type: "button", class: `btn ${part.style ?? ""}`, "aria-busy": busy || null,
    "aria-label": part.accessibility_label, on: { click: press },
  }, plainOf(part.text));
}

function overflow(part, name, place, block) {
  return menu({
    id: `${place.id}-${safe(block.block_id)}-${safe(part.action_id)}`, label: name, cls: "btn", face: icon("dots"),
    items: part.options.map((option) => ({
      label: plainOf(option.text), hint: plainOf(option.description),
      act: async () => { if (await confirmed(part)) place.act("select", block, part, option.value); },
    })),
  });
}

async function confirmed({ confirm }) {
  return !confirm || ask({
    title: plainOf(confirm.title), text: plainOf(confirm.text), confirm: plainOf(confirm.confirm), deny: plainOf(confirm.deny),
    danger: confirm.style === "danger",
  });
}

/** The choices of a select as [{value, text}] or groups [{label, options}]. */
function optionsOf(app, part) {
  const { workspace } = app.state;
  if (part.people) return part.people.map((one) => ({ value: one.id, text: one.name }));
  if (part.conversations) return part.conversations.map((one) => ({ value: one.id, text: one.name }));
  if (part.type.includes("users")) return app.state.staff.map((one) => ({ value: one.id, text: one.name }));
  if (part.type.includes("conversations") || part.type.includes("channels")) {
    return workspace.channels.map((one) => ({ value: one.id, text: `# ${one.name}` }));
  }
  const plain = (option) => ({ value: option.value, text: plainOf(option.text) });
  return part.option_groups
    ? part.option_groups.map((group) => ({ label: plainOf(group.label), options: group.options.map(plain) }))
    : (part.options ?? []).map(plain);
}

function select(app, block, part, place, named, change, value) {
  const busy = place.isBusy(block, part);
  const option = (one) => h("option", { value: one.value }, one.text);
  return h("select", {
    key: part.action_id, class: "select", ...named, "aria-busy": busy || null, initial: value ?? "",
    on: { change: (event) => change(event.target.value || null) },
  },
  h("option", { value: "", disabled: place.needed?.(block) || null }, plainOf(part.placeholder) || WORDS[part.type] || "Choose"),
  optionsOf(app, part).map((one) => one.options
    ? h("optgroup", { label: one.label }, one.options.map(option))
    : option(one)));
}

function picker(part, value, named, change) {
  const moment = part.type === "datetimepicker";
  return h("input", {
    key: part.action_id, type: PICKERS[part.type], ...named, initial: moment ? toLocalInput(value) : value ?? "",
    on: { change: (event) => change(moment ? fromLocalInput(event.target.value) : event.target.value || null) },
  });
}

function fileInput(app, part, named, change) {
  const upload = async (event) => {
    const form = new FormData();
    for (const file of event.target.files) form.append("file", file);
    const answer = await send(`/page/staff/${app.choice.staff}/upload`, form);
    if (answer) change(answer.files);
  };
  return h("input", { key: part.action_id, type: "file", multiple: part.max_files !== 1 || null, ...named, on: { change: upload } });
}

function ticks(app, block, part, place, named, change, value) {
  const chosen = new Set(value);
  const toggle = (option, on) => {
    const known = new Set(current(block, part, place) ?? []);
    if (on) known.add(option);
    else known.delete(option);
    change([...known]);
  };
  const options = optionsOf(app, part).flatMap((one) => one.options ?? [one]);
  return h("div", { key: part.action_id, class: "ticks-list", role: "group", ...named }, options.map((one, i) =>
    tick(app, part, one, "checkbox", `${place.id}-${safe(block.block_id)}-${safe(part.action_id)}-${i}`,
      chosen.has(one.value), (on) => toggle(one.value, on))));
}

function radios(app, block, part, place, named, change, value) {
  const name = `${place.id}-${safe(block.block_id)}-${safe(part.action_id)}`;
  return h("div", { key: part.action_id, class: "ticks-list", role: "radiogroup", ...named }, optionsOf(app, part).map((one, i) =>
    tick(app, part, one, "radio", `${name}-${i}`, one.value === value, () => change(one.value), name)));
}

function tick(app, part, one, type, id, checked, change, name) {
  const whole = (part.options ?? []).find((option) => option.value === one.value);
  return h("label", { key: one.value, class: "tick", for: id },
    h("input", { type, id, name, checked, on: { change: (event) => change(event.target.checked) } }),
    h("span", {}, whole ? textOf(whole.text, app.now()) : one.text,
      whole?.description && h("small", {}, textOf(whole.description, app.now()))));
}

/** A string that may stand in an id. */
export function safe(text) {
  return String(text).replace(/[^\w]/g, "-");
}
