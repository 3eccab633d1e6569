/** Posts in a channel, in direct messages and in a thread, and the boxes to write there. */

import { postBlocks } from "./blocks.js";
import { h, icon } from "./dom.js";
import { menu } from "./menu.js";
import { enlarge } from "./notices.js";
import { avatar } from "./people.js";
import { keepAtEnd } from "./scroll.js";
import { plainOf, runsOf, sizeText, discs } from "./text.js";
import { dayText, timeOf, whenText } from "./time.js";

/** The open channel or conversation. */
export function feed(app, open) {
  const place = app.choice.channel;
  return [
    h("div", { key: `feed-${place}`, class: "feed-frame" },
      h("div", { class: "feed", role: "log", "aria-live": "off", "aria-labelledby": "place-title", tabindex: "0", ref: keepAtEnd },
        open?.more && h("button", {
          key: "earlier", type: "button", class: "btn small earlier", on: { click: () => app.choose({ limit: (app.choice.limit ?? 60) + 120 }) },
        }, "Earlier posts"),
        open && !open.messages.length && h("p", { key: "empty", class: "empty" }, "Nothing here yet."),
        posts(app, open, open?.messages ?? []))),
    // Nothing can be written before it is sure where it goes.
    open ? write(app, { id: `write-${place}`, label: `Write in ${open.name}`, channel: place })
      : h("div", { key: "blank", class: "compose desk-compose blank" }),
  ];
}

/** The thread pane beside it. */
export function thread(app, open) {
  const { ts, messages } = open.thread;
  const root = messages.find((post) => post.ts === ts) ?? open.messages.find((post) => post.ts === ts);
  const replies = messages.filter((post) => post.ts !== ts);
  const close = () => app.choose({ thread: null });
  return h("aside", { key: `thread-${ts}`, class: "thread", "aria-label": "Thread", on: { keydown: (event) => escape(event, close) } },
    h("header", { class: "title" }, h("h2", {}, "Thread"), h("small", {}, root ? discs(nameOf(root)) : ""), h("span", { class: "grow" }),
      h("button", { type: "button", class: "plain", "aria-label": "Close thread", on: { click: close } }, icon("close"))),
    h("div", { class: "feed-frame" },
      h("div", { class: "feed", role: "log", "aria-live": "off", "aria-label": "Replies", tabindex: "0", ref: keepAtEnd },
        replies.length ? posts(app, open, replies, true) : h("p", { class: "empty" }, "No replies yet."))),
    write(app, { id: `write-${ts}`, label: "Write in the thread", channel: open.channel, thread: ts }));
}

function escape(event, close) {
  if (event.key === "Escape" && !event.defaultPrevented) {
    event.preventDefault();
    close();
  }
}

function posts(app, open, list, inThread = false) {
  const out = [];
  let day = null;
  for (const one of list) {
    const heading = dayText(one.at, app.now());
    if (heading !== day) out.push(h("p", { key: `day-${heading}`, class: "day" }, heading));
    day = heading;
    out.push(post(app, open, one, inThread));
  }
  return out;
}

/** What a card is called: its header, else its first words. */
function nameOf(one) {
  const header = one.blocks.find((block) => block.type === "header");
  const words = header ? plainOf(header.text) : one.text || one.blocks.map((block) => plainOf(block.text)).find(Boolean) || "";
  return words.split("\n")[0].slice(0, 80);
}

function post(app, open, one, inThread) {
  const card = one.blocks.length > 0;
  const from = one.from?.name ?? "";
  return h("article", {
    key: one.ts, class: `post ${card ? "card" : "words"} ${one.ephemeral ? "ephemeral" : ""}`, tabindex: "-1", "data-ts": one.ts,
    "aria-label": card ? nameOf(one) : `${from}, ${timeOf(one.at)}`,
  },
  !card && !(inThread && one.from?.bot) && avatar(from, one.from?.bot ? "bot" : ""),
  h("div", { class: "body" },
    h("p", { class: "by" },
      !(inThread && one.from?.bot) && h("b", {}, from), one.from?.bot && !inThread && h("span", { class: "app" }, "app"),
      h("time", { datetime: one.at }, timeOf(one.at)),
      one.edited && h("span", { class: "faint" }, "edited"),
      one.unread && h("span", { class: "unread-dot" }, h("span", { class: "unseen" }, "new"))),
    card ? postBlocks(app, open, one) : h("div", { class: "text", dir: "auto" }, runsOf(one.runs, app.now())),
    files(one),
    one.notice && h("p", { class: "line warn", role: "alert" }, one.notice),
    one.reactions?.length > 0 && h("p", { class: "faint" }, one.reactions.map((r) => `:${r.name}: ${r.users.length}`).join("  ")),
    foot(app, open, one, inThread)),
  !one.ephemeral && more(app, open, one));
}

function files(one) {
  if (!one.files?.length) return null;
  return h("div", { class: "files" }, one.files.map((file) => file.mime?.startsWith("image/")
    ? h("button", { type: "button", class: "picture", "aria-label": `${file.name}, enlarge`, on: { click: () => enlarge(file.url, file.name) } },
      h("img", { src: file.url, alt: file.name }))
    : h("a", { class: "file", href: file.url, download: file.name, target: "_blank" },
      icon("file"), h("span", {}, file.name, h("small", {}, sizeText(file.size))))));
}

function foot(app, open, one, inThread) {
  if (one.ephemeral) {
    return h("p", { class: "foot" }, h("span", { class: "faint" }, "Only visible to you"),
      h("button", { type: "button", class: "link", on: { click: () => app.act(`/page/staff/${app.choice.staff}/dismiss`, { ts: one.ts }) } },
        "Dismiss message"));
  }
  if (inThread || !one.replies) return null;
  const n = one.replies;
  return h("p", { class: "foot" },
    h("button", { type: "button", class: "link", on: { click: () => app.choose({ thread: one.ts }) } }, icon("chat"),
      `${n} ${n === 1 ? "reply" : "replies"} in the thread`),
    one.last_reply_at && h("span", { class: "faint" }, `last one ${whenText(one.last_reply_at, app.now())}`));
}

function more(app, open, one) {
  const staff = app.choice.staff;
  const shortcuts = app.state.workspace.message_shortcuts ?? [];
  const items = [
    { label: "Open thread", act: () => app.choose({ thread: one.ts }) },
    ...shortcuts.map((shortcut) => ({
      label: shortcut.name,
      act: () => app.act(`/page/staff/${staff}/shortcut`, { callback_id: shortcut.callback_id, channel: open.channel, ts: one.ts }),
    })),
  ];
  return menu({ id: `post-${one.ts.replace(".", "-")}`, label: "Message actions", cls: "corner", face: icon("dots"), items });
}

function write(app, { id, label, channel, thread: ts }) {
  const staff = app.choice.staff;
  const key = `${staff}-${id}`;
  const submit = async (box) => {
    const text = box.value.trim();
    if (!text) return;
    box.value = "";
    app.ui.drafts.delete(key);
    const answer = text.startsWith("/")
      ? await app.act(`/page/staff/${staff}/command`, { text, channel })
      : await app.act(`/page/staff/${staff}/say`, { channel, text, ...(ts ? { thread_ts: ts } : {}) });
    if (!answer && !box.value) box.value = text;
  };
  return h("form", { key, class: "compose desk-compose", on: { submit: (event) => { event.preventDefault(); submit(event.target.elements.words); } } },
    !ts && shortcuts(app, channel),
    h("textarea", {
      id, name: "words", rows: "1", "aria-label": label, placeholder: label, initial: app.ui.drafts.get(key) ?? "",
      on: {
        input: (event) => app.ui.drafts.set(key, event.target.value),
        keydown: (event) => {
          if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            submit(event.target);
          }
        },
      },
    }),
    h("button", { type: "submit", class: "round-btn", "aria-label": "Post", title: "Post" }, icon("send")));
}

function shortcuts(app, channel) {
  const { shortcuts: global = [], commands = [] } = app.state.workspace ?? {};
  if (!global.length && !commands.length) return null;
  const box = () => document.getElementById(`write-${channel}`);
  return menu({
    id: "shortcuts", label: "Shortcuts", side: "up", cls: "round-btn", face: icon("bolt"),
    items: [
      ...global.map((one) => ({
        label: one.name, act: () => app.act(`/page/staff/${app.choice.staff}/shortcut`, { callback_id: one.callback_id }),
      })),
      ...commands.map((command) => ({
        label: command, hint: "command",
        act: () => { box().value = `${command} `; box().focus(); },
      })),
    ],
  });
}
