/**
 * Draws trees of plain objects into the page and keeps what is there.
 *
 * Elements are matched by key, so a redraw never loses focus, selection, scroll position or typed text. Inputs own their
 * value: `initial` is put in when the element is made, and again when it changes while nobody has typed over it.
 */

const SVG = new Set(["svg", "path", "circle", "rect", "g"]);
const drawn = new WeakMap();
let mounted = [];

/** A node to draw. `props.on` holds listeners, `props.ref` is called once with the new element. */
export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, key: props?.key ?? null, children: flat(children) };
}

function flat(children) {
  const out = [];
  for (const child of children) {
    if (Array.isArray(child)) out.push(...flat(child));
    else if (child !== null && child !== undefined && child !== false && child !== "") {
      out.push(typeof child === "object" ? child : String(child));
    }
  }
  return out;
}

/** Make the children of `host` look like `nodes`. */
export function patch(host, nodes) {
  const focused = document.activeElement;
  reconcile(host, flat([nodes]));
  // A moved element loses focus even though it is still there.
  if (focused && focused !== document.activeElement && focused !== document.body && focused.isConnected) {
    focused.focus({ preventScroll: true });
  }
  const calls = mounted;
  mounted = [];
  for (const call of calls) call();
}

function reconcile(host, nodes) {
  const keyed = new Map();
  const free = [];
  const kept = new Set();
  for (const child of host.childNodes) {
    const before = drawn.get(child);
    if (before?.key != null) keyed.set(before.key, child);
    else if (before || child.nodeType === Node.TEXT_NODE) free.push(child);
    else kept.add(child); // Not drawn by us (a scroll list's own button): stays.
  }
  const chosen = nodes.map((node) => {
    const element = match(node, keyed, free);
    if (element) kept.add(element);
    return element;
  });
  for (const child of [...host.childNodes]) if (!kept.has(child)) child.remove();
  let cursor = host.firstChild;
  nodes.forEach((node, i) => {
    const element = chosen[i] ?? create(node);
    if (element === cursor) cursor = cursor.nextSibling;
    else host.insertBefore(element, cursor);
    update(element, node);
  });
}

function match(node, keyed, free) {
  if (node.key != null) {
    const element = keyed.get(node.key);
    if (!element || drawn.get(element).tag !== node.tag) return null;
    keyed.delete(node.key);
    return element;
  }
  const at = free.findIndex((child) =>
    typeof node === "string" ? child.nodeType === Node.TEXT_NODE : drawn.get(child)?.tag === node.tag);
  return at < 0 ? null : free.splice(at, 1)[0];
}

function create(node) {
  if (typeof node === "string") return document.createTextNode(node);
  const element = SVG.has(node.tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", node.tag)
    : document.createElement(node.tag);
  if (node.props.ref) mounted.push(() => node.props.ref(element));
  return element;
}

function update(element, node) {
  if (typeof node === "string") {
    if (element.data !== node) element.data = node;
    return;
  }
  const before = drawn.get(element)?.props ?? {};
  drawn.set(element, node);
  for (const name of Object.keys(before)) if (!(name in node.props)) setProp(element, name, null, before[name]);
  for (const [name, value] of Object.entries(node.props)) setProp(element, name, value, before[name]);
  if (!("html" in node.props)) reconcile(element, node.children);
  setInitial(element, before, node.props);
}

function setProp(element, name, value, before) {
  if (name === "key" || name === "ref" || name === "initial" || name === "checked") return;
  if (name === "on") {
    listen(element, value ?? {});
  } else if (name.startsWith("aria-") || name.startsWith("data-")) {
    if (value === null || value === undefined) element.removeAttribute(name);
    else if (String(value) !== element.getAttribute(name)) element.setAttribute(name, String(value));
  } else if (value !== before) {
    if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

function setInitial(element, before, props) {
  if ("initial" in props) {
    const next = props.initial ?? "";
    const untouched = !("initial" in before) || element.value === String(before.initial ?? "");
    if (untouched && element.value !== String(next)) element.value = next;
  }
  if ("checked" in props) {
    const untouched = !("checked" in before) || element.checked === Boolean(before.checked);
    if (untouched) element.checked = Boolean(props.checked);
  }
}

function listen(element, handlers) {
  const had = element.listeners ?? (element.listeners = {});
  for (const kind of Object.keys(had)) if (!(kind in handlers)) had[kind] = null;
  for (const [kind, handler] of Object.entries(handlers)) {
    if (!(kind in had)) element.addEventListener(kind, (event) => element.listeners[kind]?.(event));
    had[kind] = handler;
  }
}

const PATHS = {
  plus: "M10 4v12M4 10h12",
  send: "M4 10h11M10.5 5l5 5-5 5",
  mic: "M10 3a2.2 2.2 0 0 1 2.2 2.2v4a2.2 2.2 0 0 1-4.4 0v-4A2.2 2.2 0 0 1 10 3zM5.2 9.4a4.8 4.8 0 0 0 9.6 0M10 14.2V17",
  close: "M5 5l10 10M15 5L5 15",
  back: "M12 4.5L6.5 10l5.5 5.5",
  dots: "M5 10h.01M10 10h.01M15 10h.01",
  file: "M6 3h5.5L15 6.5V17H6zM11 3v4h4",
  home: "M3.5 9.5L10 4l6.5 5.5M5.5 8.5V16h9V8.5",
  lock: "M5.5 9h9v7h-9zM7.5 9V6.8a2.5 2.5 0 0 1 5 0V9",
  hash: "M8 4L6.5 16M13.5 4L12 16M4.5 8h12M3.5 12h12",
  chat: "M4 5h12v8.5H9L5.5 16v-2.5H4z",
  play: "M7 5l8 5-8 5z",
  pause: "M7.5 5v10M12.5 5v10",
  slash: "M12 4L8 16",
  bolt: "M11 3L5.5 11H10l-1 6 5.5-8H10z",
  clock: "M10 3.5a6.5 6.5 0 1 0 .01 0M10 6.5V10l2.5 1.8",
  down: "M6 8l4 4 4-4",
  pin: "M10 17s5-5 5-8.5a5 5 0 0 0-10 0C5 12 10 17 10 17zM10 8.2h.01",
  person: "M10 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4.5 16.5c.6-3 2.7-4.5 5.5-4.5s4.900 1.500 5.500 4.500",
};

/** A line drawing of 20 by 20, hidden from screen readers: the button around it carries the name. */
export function icon(name) {
  return h("svg", { class: "icon", viewBox: "0 0 20 20", "aria-hidden": "true" }, h("path", { d: PATHS[name] }));
}
