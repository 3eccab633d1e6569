/** Input blocks of a view: the label, the control, the hint and what is wrong with it. */

import { h } from "./dom.js";
import { choice, safe } from "./elements.js";
import { plainOf, textOf } from "./text.js";

const KINDS = { email_text_input: "email", url_text_input: "url", number_input: "text", plain_text_input: "text" };

/** One input block. */
export function field(app, block, place) {
  const part = block.element;
  const id = `${place.id}-${safe(block.block_id)}-${safe(part.action_id)}`;
  const error = place.error(block);
  const about = [block.optional && `${id}-optional`, block.hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  const grouped = ["checkboxes", "radio_buttons"].includes(part.type) || part.type.startsWith("multi_");
  const named = {
    ...(grouped ? { "aria-labelledby": `${id}-label` } : { id, "aria-required": block.optional ? null : "true" }),
    "aria-describedby": about || null, "aria-invalid": error ? "true" : null,
  };
  const change = (value) => {
    place.draft(block, part, value);
    if (block.dispatch_action) place.act("select", block, part, value);
  };
  return h("div", { class: `field ${error ? "wrong" : ""}` },
    h("div", { class: "label" },
      grouped ? h("span", { id: `${id}-label` }, plainOf(block.label)) : h("label", { for: id, id: `${id}-label` }, plainOf(block.label)),
      block.optional && h("small", { id: `${id}-optional` }, "optional")),
    part.type in KINDS ? textBox(block, part, place, named) : choice(app, block, part, place, named, change),
    block.hint && h("small", { class: "hint", id: `${id}-hint` }, textOf(block.hint, app.now())),
    error && h("p", { class: "error", id: `${id}-error`, role: "alert" }, error));
}

function textBox(block, part, place, named) {
  const common = {
    key: part.action_id, ...named, initial: place.value(block, part) ?? part.initial_value ?? "",
    placeholder: plainOf(part.placeholder) || null, dir: "auto", autocomplete: "off",
    on: {
      input: (event) => place.draft(block, part, event.target.value),
      keydown: (event) => enter(event, block, part, place),
    },
  };
  if (part.multiline) return h("textarea", { ...common, rows: "4" });
  return h("input", { ...common, type: KINDS[part.type], inputmode: part.type === "number_input" ? "decimal" : null });
}

function enter(event, block, part, place) {
  if (event.key !== "Enter" || event.isComposing) return;
  if (part.multiline && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    event.target.form.requestSubmit();
  } else if (block.dispatch_action && !part.multiline) {
    event.preventDefault();
    place.act("select", block, part, event.target.value);
  }
}
