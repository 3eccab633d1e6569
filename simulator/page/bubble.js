/** Messages in the phone: words, edits, pictures, voice notes, files, and the buttons under them. */

import { h, icon } from "./dom.js";
import { menu } from "./menu.js";
import { enlarge, showDocument } from "./notices.js";
import { play, playing } from "./sound.js";
import { runsOf, sizeText } from "./text.js";
import { dayText, timeOf } from "./time.js";

/** All messages of a chat, with the days between them; albums are drawn as one. */
export function bubbles(app, chat) {
  const out = [];
  let day = null;
  for (const group of grouped(chat?.messages ?? [])) {
    const heading = dayText(group[0].at, app.now());
    if (heading !== day) out.push(h("p", { key: `day-${heading}`, class: "day" }, heading));
    day = heading;
    out.push(group[0].from === "notice"
      ? h("p", { key: group[0].id, class: "day" }, group[0].text)
      : bubble(app, chat, group));
  }
  return out;
}

function grouped(messages) {
  const groups = [];
  for (const message of messages) {
    const last = groups.at(-1);
    if (message.album && last?.[0].album === message.album) last.push(message);
    else groups.push([message]);
  }
  return groups;
}

function bubble(app, chat, group) {
  const message = group.find((one) => one.text) ?? group[0];
  const last = group.at(-1);
  const mine = message.from === "customer";
  const who = mine ? app.customer().name : app.state.bot.name;
  return h("article", {
    key: message.album ? `album-${message.album}` : message.id, class: `message ${mine ? "mine" : "theirs"}`,
    "aria-label": `${who}, ${timeOf(last.at)}`,
  },
  h("div", { class: `bubble ${message.deleted ? "deleted" : ""} ${message.kind}` },
    quoted(app, chat, message),
    group.length > 1
      ? h("div", { class: "album" }, group.map((one) => attachment(app, one)))
      : attachment(app, message),
    message.text && h("div", { class: "words", dir: "auto" }, runsOf(message.runs, app.now())),
    meta(app, last, message, mine),
    mine && !message.deleted && app.customer() && ownActions(app, message)),
  keyboard(app, message));
}

function quoted(app, chat, message) {
  const original = message.reply_to && chat.messages.find((one) => one.id === message.reply_to);
  return original && h("blockquote", { class: "reply" }, (original.text || original.kind).slice(0, 90));
}

function meta(app, last, message, mine) {
  return h("small", { class: "meta" },
    message.deleted && h("span", {}, "deleted"),
    message.edited && (message.earlier?.length ? earlierTexts(message) : h("span", {}, "edited")),
    h("time", { datetime: last.at }, timeOf(last.at)),
    mine && ticks(app, last));
}

function earlierTexts(message) {
  return h("details", { class: "earlier-texts" },
    h("summary", {}, "edited"),
    h("ul", { "aria-label": "Before the edits" }, message.earlier.map((text) => h("li", { dir: "auto" }, text))));
}

function ticks(app, message) {
  const taken = message.taken ?? app.state.lines.updates_waiting === 0;
  const label = taken ? "taken by the bot" : "sent, waiting for the bot";
  return h("span", { class: `ticks ${taken ? "taken" : ""}`, role: "img", "aria-label": label, title: label }, taken ? "✓✓" : "✓");
}

function attachment(app, message) {
  if (message.place) {
    const { latitude, longitude } = message.place;
    return h("div", { class: "place" }, icon("pin"), `${latitude.toFixed(4)}, ${longitude.toFixed(4)}`);
  }
  if (message.contact) return h("div", { class: "file" }, icon("person"), h("span", {}, message.contact.name, h("small", {}, message.contact.phone)));
  const { file, kind } = message;
  if (!file) return null;
  if (kind === "voice" || kind === "audio") return sound(app, message);
  if (file.mime?.startsWith("image/")) {
    const name = kind === "photo" ? "Photo" : file.name || kind;
    return h("button", { type: "button", class: "picture", "aria-label": `${name}, enlarge`, on: { click: () => enlarge(file.url, name) } },
      h("img", { src: file.url, alt: name, loading: "lazy", width: file.width, height: file.height }));
  }
  const link = h("a", { class: "file", href: file.url, download: file.name || "file", target: "_blank" },
    icon("file"), h("span", {}, file.name || kind, h("small", {}, sizeText(file.size))));
  if (file.mime !== "application/pdf") return link;
  return h("div", { class: "pdf" }, link,
    h("button", { type: "button", class: "btn small", on: { click: () => showDocument(file.url, file.name || kind) } }, "Read"));
}

function sound(app, message) {
  const { file, kind } = message;
  const name = kind === "voice" ? "voice note" : file.name || "sound";
  const on = playing(file.url);
  return h("div", { class: "sound" },
    h("button", {
      type: "button", class: "round-btn", "aria-label": `${on ? "Stop" : "Play"} ${name}`,
      on: { click: () => play(file.url, app.draw) },
    }, icon(on ? "pause" : "play")),
    h("span", { class: `wave ${on ? "on" : ""}`, "aria-hidden": "true" }, WAVE.map((height) => h("i", { style: `height:${height}px` }))),
    h("small", {}, kind === "audio" ? `${name} · ${length(file.seconds)}` : length(file.seconds)));
}

const WAVE = [5, 9, 14, 8, 16, 11, 6, 13, 18, 9, 5, 12, 16, 8, 11, 5, 9, 6];

function length(seconds) {
  return `${Math.floor((seconds ?? 0) / 60)}:${String((seconds ?? 0) % 60).padStart(2, "0")}`;
}

function ownActions(app, message) {
  const focusMessage = () => requestAnimationFrame(() => document.getElementById("message")?.focus());
  const items = [{ label: "Reply", act: () => { app.ui.replying = message; app.ui.editing = null; app.draw(); focusMessage(); } }];
  if (message.kind === "text" || message.file) {
    items.unshift({
      label: "Edit", act: () => { app.ui.editing = message; app.ui.replying = null; app.draw(); focusMessage(); },
    });
  }
  return menu({ id: `own-${message.id}`, label: "Change this message", cls: "corner", face: icon("dots"), items });
}

function keyboard(app, message) {
  if (!message.keyboard?.length || message.deleted) return null;
  return h("div", { class: "keyboard", role: "group", "aria-label": "Answers" }, message.keyboard.map((row) =>
    h("div", { class: "keys" }, row.map((key) => answer(app, message, key)))));
}

function answer(app, message, key) {
  if (key.url) return h("a", { class: "key", href: key.url, target: "_blank", rel: "noopener noreferrer" }, `${key.text} ↗`);
  const mark = `press-${message.id}-${key.data ?? key.text}`;
  const busy = key.pressed || app.pending.has(mark);
  return h("button", {
    type: "button", class: "key", "aria-busy": busy || null,
    on: { click: () => press(app, message, key, mark) },
  }, key.text);
}

async function press(app, message, key, mark) {
  const body = key.data ? { message: message.id, data: key.data } : { message: message.id, text: key.text };
  await app.act(`/page/customers/${app.choice.customer}/press`, body, mark);
}
