/** Instants in words, in the zone of the simulated world. */

let zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The zone all times are shown in; null keeps the browser's own. */
export function useZone(name) {
  if (name) zone = name;
}

function parts(at, options) {
  const list = new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options }).formatToParts(new Date(at));
  return Object.fromEntries(list.map((part) => [part.type, part.value]));
}

function day(at) {
  const p = parts(at, { year: "numeric", month: "2-digit", day: "2-digit" });
  return `${p.year}-${p.month}-${p.day}`;
}

function daysBetween(from, to) {
  return Math.round((Date.parse(day(to)) - Date.parse(day(from))) / 86400000);
}

/** 10:42 */
export function timeOf(at) {
  const p = parts(at, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return `${p.hour}:${p.minute}`;
}

function dateOf(at, withYear) {
  const p = parts(at, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
  return `${p.weekday} ${p.day} ${p.month}${withYear ? ` ${p.year}` : ""}`;
}

/** Tue 24 Nov 2026, 10:42 */
export function clockText(at) {
  return `${dateOf(at, true)}, ${timeOf(at)}`;
}

/** Today, Yesterday, Tue 24 Nov; the heading over a day's messages. */
export function dayText(at, now) {
  const away = daysBetween(now, at);
  if (away === 0) return "Today";
  if (away === -1) return "Yesterday";
  return dateOf(at, day(at).slice(0, 4) !== day(now).slice(0, 4));
}

/** today 17:30, tomorrow 17:30, Tue 24 Nov 17:30 */
export function whenText(at, now) {
  const away = daysBetween(now, at);
  const words = { 0: "today", 1: "tomorrow", "-1": "yesterday" }[away];
  return `${words ?? dayText(at, now)} ${timeOf(at)}`;
}

/** What Slack makes of <!date^…^format^…>: the tokens of `format` filled in. */
export function slackDate(at, format, now) {
  const pretty = { 0: "today", 1: "tomorrow", "-1": "yesterday" }[daysBetween(now, at)];
  const long = new Intl.DateTimeFormat("en-GB", { timeZone: zone, dateStyle: "full" }).format(new Date(at));
  const medium = new Intl.DateTimeFormat("en-GB", { timeZone: zone, dateStyle: "long" }).format(new Date(at));
  const short = dateOf(at, true);
  const tokens = {
    date: medium, date_long: long, date_short: short, date_num: day(at), date_slash: day(at).replaceAll("-", "/"),
    date_pretty: pretty ?? medium, date_long_pretty: pretty ?? long, date_short_pretty: pretty ?? dateOf(at),
    time: timeOf(at), time_secs: new Date(at).toLocaleTimeString("en-GB", { timeZone: zone }),
    ago: whenText(at, now), day_divider_pretty: dayText(at, now),
  };
  return format.replace(/\{(\w+)\}/g, (whole, name) => tokens[name] ?? whole);
}

/** Unix seconds as the value of a datetime-local input. */
export function toLocalInput(unix) {
  if (unix === null || unix === undefined || unix === "") return "";
  return `${day(unix * 1000)}T${timeOf(unix * 1000)}`;
}

/** The value of a datetime-local input as Unix seconds, or null. */
export function fromLocalInput(text) {
  if (!text) return null;
  const wanted = Date.parse(`${text}Z`);
  let guess = wanted;
  // Two rounds, because the first guess may lie on the other side of a clock change.
  for (let round = 0; round < 2; round += 1) guess += wanted - Date.parse(`${toLocalInput(guess / 1000)}Z`);
  return Math.floor(guess / 1000);
}
