/** Who sits at the phone and who at the desk: a few names to press, the rest in a list that can be searched. */

import { h, icon } from "./dom.js";
import { hide, layer } from "./menu.js";
import { hueOf, initials } from "./text.js";

export const LANGUAGES = {
  en: "English", tr: "Türkçe", de: "Deutsch", fr: "Français", es: "Español", ar: "العربية", nl: "Nederlands", pl: "Polski",
};

const SHOWN_CUSTOMERS = 2;
const SHOWN_STAFF = 6;

/** Who is shown first: somebody who has not written yet, so that a newcomer can begin. */
export function newcomer(customers) {
  return customers.find((one) => !one.last) ?? customers[0];
}

/** The row above the phone. */
export function customerPicker(app) {
  const people = app.state.customers.map((one) => ({
    id: one.id, name: one.name, more: one.language, unread: one.unread, at: one.last?.at ?? "", last: one.last?.text,
  }));
  return picker(app, {
    label: "Customer", people, chosen: app.choice.customer, shown: SHOWN_CUSTOMERS,
    choose: (id) => { app.ui.editing = app.ui.replying = null; app.choose({ customer: id }); },
    extra: addCustomer(app),
  });
}

/** The row above the desk. */
export function staffPicker(app) {
  const people = app.state.staff.map((one) => ({
    id: one.id, name: one.name, more: one.role.replaceAll("_", " "), unread: one.unread, at: "",
  }));
  return picker(app, {
    label: "Staff member", people, chosen: app.choice.staff, shown: SHOWN_STAFF, faces: true,
    choose: (id) => { app.home = false; app.choose({ staff: id, thread: null }); },
  });
}

function picker(app, { label, people, chosen, shown, choose, faces, extra }) {
  // The chosen one and whoever has news stay in sight; the order of the row itself never changes under the pointer.
  // Somebody who has not written yet comes before those of the past.
  const isNew = (one) => Boolean(extra) && !one.at;
  const rank = [...people].sort((a, b) =>
    (b.id === chosen) - (a.id === chosen) || Boolean(b.unread) - Boolean(a.unread) || isNew(b) - isNew(a) || (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
  const row = people.length <= shown + 1 ? people : people.filter((one) => rank.indexOf(one) < shown);
  const id = `all-${label.toLowerCase().replace(" ", "-")}`;
  const rest = people.filter((one) => !row.includes(one));
  return h("div", { class: "picker", role: "group", "aria-label": label },
    row.map((one) => h("button", {
      key: one.id, type: "button", class: "chip", "aria-pressed": one.id === chosen, on: { click: () => choose(one.id) },
    }, faces && avatar(one.name), h("span", { class: "who" }, `${one.name} · ${one.more}`), dot(one.unread))),
    rest.length > 0 && layer({
      id, label: `All ${people.length}`, cls: "chip quiet", face: [`All ${people.length}`, dot(rest.some((one) => one.unread) ? 1 : 0)],
      content: everyone(app, people, chosen, (one) => { hide(id); choose(one); }),
    }),
    extra);
}

function everyone(app, people, chosen, choose) {
  const wanted = app.ui.filter.trim().toLowerCase();
  return [
    h("input", {
      type: "search", "aria-label": "Find a person", placeholder: "Find a person", autofocus: true, initial: app.ui.filter,
      on: { input: (event) => { app.ui.filter = event.target.value; app.draw(); } },
    }),
    h("div", { class: "everyone" }, people.filter((one) => one.name.toLowerCase().includes(wanted)).map((one) =>
      h("button", { key: one.id, type: "button", class: "item", "aria-pressed": one.id === chosen, on: { click: () => choose(one.id) } },
        avatar(one.name),
        h("span", { class: "who" }, `${one.name} · ${one.more}`, one.last && h("small", { dir: "auto" }, one.last)),
        dot(one.unread)))),
  ];
}

function addCustomer(app) {
  const id = "add-customer";
  const submit = async (event) => {
    event.preventDefault();
    const form = event.target;
    const name = form.elements.name.value.trim();
    if (!name) return form.elements.name.focus();
    const answer = await app.act("/page/customers", { name, language: form.elements.language.value });
    if (!answer) return undefined;
    form.reset();
    hide(id);
    await app.choose({ customer: answer.id });
    return document.getElementById("message")?.focus();
  };
  return layer({
    id, label: "Add a customer", cls: "chip quiet", face: icon("plus"),
    content: h("form", { class: "add", on: { submit } },
      h("label", { for: "add-name" }, "Name"),
      h("input", { id: "add-name", name: "name", type: "text", autocomplete: "off", autofocus: true, maxlength: "64" }),
      h("label", { for: "add-language" }, "Language"),
      h("select", { id: "add-language", name: "language" },
        Object.entries(LANGUAGES).map(([code, name]) => h("option", { value: code }, name))),
      h("button", { type: "submit", class: "btn primary" }, "Add customer")),
  });
}

/** A coloured disc with initials. */
export function avatar(name, cls = "") {
  return h("span", { class: `avatar hue${hueOf(name)} ${cls}`, "aria-hidden": "true" }, initials(name));
}

function dot(unread) {
  return unread ? h("span", { class: "unread-dot" }, h("span", { class: "unseen" }, " unread")) : null;
}
