/** The phone: one customer's chat with the bot. */

import { bubbles } from "./bubble.js";
import { composer } from "./composer.js";
import { h, icon } from "./dom.js";
import { avatar, LANGUAGES } from "./people.js";
import { keepAtEnd } from "./scroll.js";
import { timeOf } from "./time.js";

/** The phone with its frame. */
export function phone(app) {
  const customer = app.customer();
  return h("section", { key: "phone", class: "phone", "aria-label": customer ? `Phone of ${customer.name}` : "Phone" },
    h("div", { class: "glass" }, customer ? [head(app, customer), chat(app, customer), composer(app, customer)] : nobody()));
}

function head(app, customer) {
  const { bot, chat: shown, trouble } = app.state;
  const language = LANGUAGES[customer.language] ?? customer.language;
  const doing = shown?.doing && shown.customer === customer.id ? `${shown.doing}…` : "bot";
  return [
    h("div", { class: "status", "aria-hidden": "true" },
      h("span", {}, timeOf(app.now())), h("span", { class: "grow" }), h("span", {}, language),
      h("span", { class: `bars ${trouble.telegram_down ? "none" : ""}` }, h("i", {}), h("i", {}), h("i", {}), h("i", {}))),
    h("div", { class: "peer" },
      avatar(bot.name || "Bot", "round"),
      h("div", {}, h("h2", {}, bot.name || "Bot"), h("p", { class: doing === "bot" ? "" : "doing" }, doing)),
      h("span", { class: "grow" }),
      trouble.telegram_down && h("span", { class: "tag bad" }, "Telegram is down"),
      !trouble.telegram_down && customer.blocked && h("span", { class: "tag warn" }, "Bot blocked")),
  ];
}

function chat(app, customer) {
  const shown = app.state.chat?.customer === customer.id ? app.state.chat : null;
  const messages = shown?.messages ?? [];
  return h("div", { key: `chat-${customer.id}`, class: "chat-frame" },
    h("div", {
      class: "chat", role: "log", "aria-label": `Chat with ${app.state.bot.name || "the bot"}`, "aria-live": "off", tabindex: "0",
      lang: customer.language, ref: keepAtEnd,
    },
    shown?.more && h("button", { key: "earlier", type: "button", class: "btn small earlier", on: { click: () => earlier(app) } },
      "Earlier messages"),
    shown && !messages.length && hello(app, customer),
    bubbles(app, shown)));
}

function earlier(app) {
  return app.choose({ limit: (app.choice.limit ?? 60) + 120 });
}

function hello(app, customer) {
  return h("div", { key: "hello", class: "hello" },
    h("h3", { lang: "en" }, "What can this bot do?"),
    h("p", { class: "about-bot" }, app.state.bot.description || app.state.bot.short_description || "Write a message, or press Start."),
    h("button", {
      type: "button", class: "btn primary",
      on: { click: () => app.act(`/page/customers/${customer.id}/text`, { text: "/start" }) },
    }, "Start"));
}

function nobody() {
  return h("div", { class: "hello" }, icon("person"), h("p", {}, "Nobody is here yet. Add a customer above, with a name and a language."));
}
