/** The staff's workspace as one member sees it: places on the left, what is open in the middle, a thread on the right. */

import { homeBlocks } from "./blocks.js";
import { h, icon } from "./dom.js";
import { feed, thread } from "./feed.js";
import { modal } from "./views.js";

/** The desk with its frame. */
export function desk(app) {
  const { workspace } = app.state;
  const here = workspace && workspace.staff === app.choice.staff ? workspace : null;
  const member = app.member();
  const open = here && !app.home && here.open?.channel === app.choice.channel ? here.open : null;
  const views = here?.views ?? [];
  return h("section", { key: "desk", class: "desk", "aria-label": member ? `Workspace of ${member.name}` : "Workspace" },
    h("div", {
      key: `frame-${app.choice.staff}`, class: `desk-frame ${open?.thread ? "with-thread" : ""}`, inert: views.length > 0 || null,
    },
    places(app, here),
    h("div", { key: `middle-${app.home ? "home" : app.choice.channel}`, class: "middle" },
      title(app, here, open),
      lines(app, here),
      app.home ? home(app, here) : feed(app, open)),
    open?.thread && thread(app, open)),
    modal(app, views));
}

function places(app, here) {
  const go = (id) => () => { app.home = false; app.choose({ channel: id, thread: null, limit: null }); };
  const place = (one, name, mark) => h("button", {
    key: one.id, type: "button", class: `place-btn ${one.unread ? "news" : ""}`,
    "aria-current": !app.home && app.choice.channel === one.id ? "page" : null, on: { click: go(one.id) },
  }, icon(mark), h("span", {}, name), one.unread > 0 && h("em", {}, one.unread, h("span", { class: "unseen" }, " unread")));
  return h("nav", { class: "places", "aria-label": "Workspace" },
    h("button", {
      type: "button", class: "place-btn", "aria-current": app.home ? "page" : null,
      on: { click: () => { app.home = true; app.act(`/page/staff/${app.choice.staff}/home`); } },
    }, icon("home"), h("span", {}, "Home")),
    h("h2", {}, "Channels"),
    (here?.channels ?? []).map((one) => place(one, one.name, one.private ? "lock" : "hash")),
    h("h2", {}, "Direct messages"),
    (here?.direct ?? []).map((one) => place(one, one.with, "chat")));
}

function title(app, here, open) {
  const place = [...(here?.channels ?? []), ...(here?.direct ?? [])].find((one) => one.id === app.choice.channel);
  const name = app.home ? "Home" : place ? place.with ?? place.name : "";
  const mark = app.home ? "home" : place?.with ? "chat" : place?.private ? "lock" : "hash";
  return h("header", { class: "title" }, icon(mark), h("h2", { id: "place-title" }, name),
    open?.messages.length ? h("small", {}, count(open)) : null);
}

function count(open) {
  const cards = open.messages.filter((post) => post.blocks.some((block) => block.type === "actions")).length;
  if (!cards) return "";
  return `${open.more ? "newest " : ""}${cards} card${cards === 1 ? "" : "s"}`;
}

function lines(app, here) {
  const { trouble, lines: wires } = app.state;
  const words = !app.connected ? "The simulator does not answer. Trying again."
    : trouble.slack_down ? "Slack is down: nothing can be pressed, and what the app posts waits."
      : wires.slack_connections === 0 ? "The app is not connected to Slack at the moment." : null;
  return [
    words && h("p", { key: "line", class: "line warn", role: "status" }, words),
    here?.notice && h("p", { key: "notice", class: "line", role: "alert" }, h("span", {}, here.notice.text),
      h("button", { type: "button", class: "plain", "aria-label": "Dismiss", on: { click: () => app.act(`/page/staff/${here.staff}/dismiss`) } },
        icon("close"))),
  ];
}

function home(app, here) {
  const blocks = here?.home?.blocks ?? [];
  return h("div", { class: "feed home", tabindex: "0", "aria-label": "Home" },
    blocks.length ? homeBlocks(app, blocks) : h("p", { class: "empty" }, "The app has not shown anything here yet."));
}
