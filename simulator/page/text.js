/** Formatted text as nodes. Nothing here ever becomes HTML from a string, so no message can break out of its place. */

import { h } from "./dom.js";
import { clockText, slackDate } from "./time.js";

const MARKS = { bold: "strong", italic: "em", underline: "u", strike: "s", code: "code", spoiler: "span" };
const DISCS = { "🔴": "red", "🟠": "orange", "🟡": "yellow", "🟢": "green", "🔵": "blue", "⚪": "white", "⚫": "black" };
const SAFE = /^(https?:|mailto:|tel:|\/page\/)/i;

/** Runs `[{text, marks, url, mention, date, at}]` as nodes; quotes and preformatted text become blocks. */
export function runsOf(runs, now) {
  const out = [];
  let block = null;
  for (const run of runs ?? []) {
    const kind = run.marks?.includes("pre") ? "pre" : run.marks?.includes("quote") ? "blockquote" : null;
    if (!kind) block = null;
    else if (block?.tag !== kind) out.push((block = h(kind, {})));
    const node = inline(run, now);
    if (block) block.children.push(...[node].flat());
    else out.push(node);
  }
  return out;
}

function inline(run, now) {
  let node = run.date ? slackDate(run.date.at, run.date.format, now) : discs(run.text);
  for (const mark of run.marks ?? []) {
    if (mark === "spoiler") node = h("span", { class: "spoiler", tabindex: "0", title: "Hidden until pointed at" }, node);
    else if (MARKS[mark]) node = h(MARKS[mark], {}, node);
  }
  if (run.at) {
    const iso = new Date(run.at * 1000).toISOString();
    node = h("time", { class: "promised", datetime: iso, title: clockText(run.at * 1000) }, node);
  }
  if (run.mention) return h("span", { class: "mention" }, node);
  return run.url && SAFE.test(run.url) ? link(run.url, node) : node;
}

/** Coloured discs are drawn, not left to a font that may lack them; what is copied or read aloud stays the character. */
export function discs(text) {
  return text.split(/([🔴🟠🟡🟢🔵⚪⚫])\ufe0f?/u).map((part) => DISCS[part]
    ? h("span", { class: `disc ${DISCS[part]}` }, h("span", { class: "unseen" }, part))
    : part);
}

function link(url, ...children) {
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, children);
}

/** A Block Kit text object as nodes. */
export function textOf(object, now) {
  if (!object) return [];
  if (typeof object === "string") return [object];
  return object.runs ? runsOf(object.runs, now) : [object.text ?? ""];
}

/** A Block Kit text object as a plain string, for names and labels. */
export function plainOf(object) {
  if (!object) return "";
  if (typeof object === "string") return object;
  return object.runs ? object.runs.map((run) => run.text).join("") : object.text ?? "";
}

/** The elements of a rich_text block as nodes. */
export function richText(elements, names, now) {
  return elements.map((element) => {
    const inner = () => element.elements.map((part) => richPart(part, names, now));
    switch (element.type) {
      case "rich_text_list":
        return h(element.style === "ordered" ? "ol" : "ul", { class: "rich" },
          element.elements.map((item) => h("li", {}, item.elements.map((part) => richPart(part, names, now)))));
      case "rich_text_quote":
        return h("blockquote", {}, inner());
      case "rich_text_preformatted":
        return h("pre", {}, inner());
      default:
        return h("p", { class: "rich" }, inner());
    }
  });
}

function richPart(part, names, now) {
  const marks = Object.entries(part.style ?? {}).filter(([, on]) => on).map(([name]) => name);
  const run = (text, more) => inline({ text, marks, ...more }, now);
  switch (part.type) {
    case "text": return run(part.text);
    case "link": return run(part.text ?? part.url, { url: part.url });
    case "user": return run(`@${names[part.user_id] ?? part.user_id}`, { mention: part.user_id });
    case "channel": return run(`#${names[part.channel_id] ?? part.channel_id}`, { mention: part.channel_id });
    case "broadcast": return run(`@${part.range}`, { mention: part.range });
    case "emoji": return run(part.unicode ? fromHex(part.unicode) : `:${part.name}:`);
    case "date": return run(part.fallback ?? "", { date: { at: part.timestamp * 1000, format: part.format } });
    default: return "";
  }
}

function fromHex(unicode) {
  return unicode.split("-").map((code) => String.fromCodePoint(parseInt(code, 16))).join("");
}

/** 12 kB */
export function sizeText(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Two letters for an avatar. */
export function initials(name) {
  const words = (name ?? "?").trim().split(/\s+/);
  return (words[0][0] + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase();
}

/** A hue that stays with a name, 0 to 5. */
export function hueOf(name) {
  let sum = 0;
  for (const letter of name ?? "") sum = (sum * 31 + letter.codePointAt(0)) % 997;
  return sum % 6;
}
