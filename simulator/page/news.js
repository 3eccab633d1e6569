/** What is new between two states: said to screen readers, shown as toasts, and marked as read where it is being looked at. */

import { send } from "./api.js";
import { announce, ask, toast } from "./notices.js";

const heard = { notice: new Map(), desk: new Map(), read: new Map() };

/** Compare `before` with the state of `app`. */
export function hear(app, before) {
  phoneNews(app, before);
  deskNews(app, before);
  markRead(app);
}

function phoneNews(app, before) {
  const { chat, bot } = app.state;
  if (!chat) return;
  const newest = Math.max(0, ...(before?.chat?.messages ?? []).map((message) => message.id));
  if (before?.chat?.customer === chat.customer) {
    for (const message of chat.messages) {
      if (message.from === "bot" && message.id > newest) announce(`${bot.name}: ${message.text || message.kind}`);
    }
  }
  const seen = heard.notice.get(chat.customer);
  const at = chat.notice?.at ?? null;
  if (seen !== undefined && at && at !== seen && chat.notice.text) {
    if (chat.notice.alert) ask({ title: bot.name, text: chat.notice.text });
    else toast(chat.notice.text);
  }
  heard.notice.set(chat.customer, at);
}

function deskNews(app, before) {
  const { workspace } = app.state;
  if (!workspace) return;
  const old = before?.workspace;
  if (old?.staff === workspace.staff) {
    for (const place of [...workspace.channels, ...workspace.direct]) {
      const was = [...old.channels, ...old.direct].find((one) => one.id === place.id)?.unread ?? 0;
      if (place.unread > was) announce(`New in ${place.name ?? place.with}`);
    }
    if (old.open && workspace.open?.channel === old.open.channel) {
      const known = new Set(old.open.messages.map((post) => post.ts));
      const last = old.open.messages.at(-1)?.ts ?? "";
      for (const post of workspace.open.messages) {
        if (!known.has(post.ts) && post.ts > last) announce(`${post.from.name}: ${post.text}`);
      }
    }
  }
  if (workspace.notice && heard.desk.get(workspace.staff) !== workspace.notice.at) announce(workspace.notice.text);
  heard.desk.set(workspace.staff, workspace.notice?.at ?? null);
}

/** What stands open before somebody's eyes counts as read; asked once per newest message. */
function markRead(app) {
  if (document.visibilityState !== "visible") return;
  const customer = app.customer();
  const { chat, workspace } = app.state;
  if (customer?.unread && chat?.customer === customer.id) {
    once(`/page/customers/${customer.id}/read`, chat.messages.at(-1)?.id);
  }
  const open = !app.home && workspace?.open;
  const place = open && [...workspace.channels, ...workspace.direct].find((one) => one.id === open.channel);
  if (place?.unread) {
    const newest = [open.messages.at(-1)?.ts, open.thread?.messages.at(-1)?.ts, place.last_at].join();
    once(`/page/staff/${workspace.staff}/read`, newest, { channel: place.id });
  }
}

function once(path, newest, body) {
  const key = path + (body?.channel ?? "");
  if (heard.read.get(key) === newest) return;
  heard.read.set(key, newest);
  send(path, body);
}
