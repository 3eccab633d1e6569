/** Writing in the phone: words, files, samples, a reply or an edit, and the bot's own keyboard. */

import { h, icon } from "./dom.js";
import { menu } from "./menu.js";
import { toast } from "./notices.js";

/** The strip under the chat. */
export function composer(app, customer) {
  if (customer.blocked) {
    return h("div", { key: "blocked", class: "compose blocked" },
      h("p", {}, `${customer.name} has blocked the bot.`),
      h("button", { type: "button", class: "btn", on: { click: () => app.act(`/page/customers/${customer.id}/block`, { blocked: false }) } },
        "Unblock"));
  }
  const { editing, replying } = app.ui;
  return h("div", { key: `compose-${customer.id}`, class: "compose-frame", on: dropping(app, customer) },
    (editing || replying) && h("div", { class: "about" },
      h("span", {}, h("b", {}, editing ? "Editing" : "Reply to"), ` ${(editing ?? replying).text || (editing ?? replying).kind}`),
      h("button", { type: "button", class: "plain", "aria-label": "Stop", on: { click: () => stop(app) } }, icon("close"))),
    h("form", { class: "compose", on: { submit: (event) => { event.preventDefault(); write(app, customer); } } },
      attach(app, customer),
      commands(app, customer),
      h("textarea", {
        key: editing ? `edit-${editing.id}` : "new", id: "message", rows: "1", "aria-label": "Message", placeholder: "Message",
        maxlength: "4096", dir: "auto", initial: editing ? editing.text : app.ui.drafts.get(`phone-${customer.id}`) ?? "",
        on: {
          keydown: (event) => keys(event, app, customer),
          input: (event) => { if (!editing) app.ui.drafts.set(`phone-${customer.id}`, event.target.value); },
        },
      }),
      h("button", { type: "submit", class: "round-btn primary", "aria-label": editing ? "Save" : "Send", title: editing ? "Save" : "Send" },
        icon("send"))),
    replyKeyboard(app, customer),
    pickers(app, customer));
}

function stop(app) {
  app.ui.editing = app.ui.replying = null;
  app.draw();
  document.getElementById("message")?.focus();
}

function keys(event, app, customer) {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    write(app, customer);
  } else if (event.key === "Escape" && (app.ui.editing || app.ui.replying)) {
    event.preventDefault();
    stop(app);
  } else if (event.key === "ArrowUp" && !event.target.value) {
    const last = app.state.chat?.messages.findLast((message) => message.from === "customer" && !message.deleted);
    if (!last?.text) return;
    event.preventDefault();
    app.ui.editing = last;
    app.draw();
    document.getElementById("message").focus();
  }
}

async function write(app, customer) {
  const box = document.getElementById("message");
  const text = box.value.trim();
  if (!text) return;
  const { editing, replying } = app.ui;
  const about = `/page/customers/${customer.id}`;
  const kept = box.value;
  box.value = "";
  app.ui.drafts.delete(`phone-${customer.id}`);
  if (editing || replying) stop(app);
  const answer = editing
    ? await app.act(`${about}/edit`, { message: editing.id, text })
    : await app.act(`${about}/text`, { text, ...(replying ? { reply_to: replying.id } : {}) });
  if (answer) waits(app);
  else restore(app, customer, kept, editing, replying);
}

/** What could not be sent goes back where it was written. */
function restore(app, customer, text, editing, replying) {
  Object.assign(app.ui, { editing, replying });
  app.draw();
  const box = document.getElementById("message");
  if (box && app.choice.customer === customer.id && !box.value) box.value = text;
}

function waits(app) {
  if (app.state.trouble.telegram_down) toast("Telegram is down: the message waits until it is back.");
}

function caption(app, customer) {
  const box = document.getElementById("message");
  const text = app.ui.editing ? "" : box.value.trim();
  if (text) {
    box.value = "";
    app.ui.drafts.delete(`phone-${customer.id}`);
  }
  return text;
}

async function sendFiles(app, customer, kind, files) {
  if (!files.length) return;
  const form = new FormData();
  form.set("kind", kind);
  const words = caption(app, customer);
  if (words) form.set("caption", words);
  for (const file of files) form.append("file", file);
  if (await app.act(`/page/customers/${customer.id}/files`, form)) waits(app);
}

async function sample(app, customer, what, body) {
  const words = what === "photo" ? caption(app, customer) : "";
  if (await app.act(`/page/customers/${customer.id}/${what}`, { ...body, ...(words ? { caption: words } : {}) })) waits(app);
}

function attach(app, customer) {
  const choose = (id) => () => document.getElementById(id).click();
  return menu({
    id: "attach", label: "Attach", side: "up", cls: "round-btn", face: icon("plus"),
    items: [
      { label: "Photo or album", hint: "from this computer", act: choose("pick-photo") },
      { label: "Document", hint: "from this computer", act: choose("pick-document") },
      { label: "Video", hint: "from this computer", act: choose("pick-video") },
      { label: "Sample photo", act: () => sample(app, customer, "photo", { count: 1 }) },
      { label: "Sample album", hint: "3 photos", act: () => sample(app, customer, "photo", { count: 3 }) },
      { label: "Sample voice note", hint: "3 s", act: () => sample(app, customer, "voice", { seconds: 3 }) },
      { label: "Long voice note", hint: "45 s", act: () => sample(app, customer, "voice", { seconds: 45 }) },
      { label: "Location", act: () => sample(app, customer, "location", { latitude: 51.5072, longitude: -0.1276 }) },
      { label: "Contact", act: () => sample(app, customer, "contact", { name: customer.name, phone: "+442079460000" }) },
    ],
  });
}

function pickers(app, customer) {
  const input = (id, kind, label, accept, multiple) => h("input", {
    type: "file", id, hidden: true, accept, multiple, "aria-label": label, tabindex: "-1",
    on: { change: (event) => { sendFiles(app, customer, kind, [...event.target.files]); event.target.value = ""; } },
  });
  return [
    input("pick-photo", "photo", "Photo files", "image/*", true),
    input("pick-document", "document", "Document files", null, true),
    input("pick-video", "video", "Video files", "video/*", false),
  ];
}

function dropping(app, customer) {
  return {
    dragover: (event) => event.preventDefault(),
    drop: (event) => {
      event.preventDefault();
      const files = [...event.dataTransfer.files];
      sendFiles(app, customer, files.every((file) => file.type.startsWith("image/")) ? "photo" : "document", files);
    },
  };
}

function commands(app, customer) {
  const known = app.state.bot.commands ?? [];
  return known.length > 0 && menu({
    id: "commands", label: "Commands", side: "up", cls: "round-btn", face: icon("slash"),
    items: known.map((one) => ({
      label: `/${one.command}`, hint: one.description,
      act: async () => { if (await app.act(`/page/customers/${customer.id}/text`, { text: `/${one.command}` })) waits(app); },
    })),
  });
}

function replyKeyboard(app, customer) {
  const board = app.state.chat?.customer === customer.id ? app.state.chat.reply_keyboard : null;
  return board && h("div", { class: "keyboard below", role: "group", "aria-label": "Suggested answers" }, board.rows.map((row) =>
    h("div", { class: "keys" }, row.map((text) => h("button", {
      type: "button", class: "key", on: { click: () => app.act(`/page/customers/${customer.id}/text`, { text }) },
    }, text)))));
}
