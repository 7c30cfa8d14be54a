// The language of the page, and every sentence in it. The English sentence is the name of all others: a table,
// texts/de.json and so on, says it otherwise, and where there is no table or it cannot be loaded the English one stays.
// A page behind the sign-in has tables of its own beside these.

import { keep, kept } from "./storage.js";

const WISH = "otpgate.language";
const TIMEOUT_MS = 5000;
const SOURCE = "en";
const isRightToLeft = (language) => ["ar", "fa", "he", "ur"].includes(language);

// What the switch offers is what there is a table for.
const choice = document.getElementById("language");
const offered = [...choice.options].map((option) => option.value);

// English sentences of a number. All else that counts is of Intl.
const english = {
  "That code is not right. You have {count} attempts left.": {
    one: "That code is not right. You have {count} attempt left.",
    other: "That code is not right. You have {count} attempts left.",
  },
};

const tables = new Map([[SOURCE, english]]);
let current = SOURCE;
let table = english;
let formats = formatsOf(SOURCE);
let asked = null; // by wish or account, so that the browser's own header does not say it
let served = ""; // in which the server answers
let folders = ["texts"];
let redraw = () => {};
let newest = 0; // Of several changes that are under way the last one counts.

// The sentence in the visitor's language; {name} stands for a value of that name.
export function t(sentence, values = {}) {
  return parts(sentence, values).join("");
}

// The same in pieces, for values that are elements.
export function parts(sentence, values) {
  return pick(sentence, values).split(/\{(\w+)\}/).map((part, index) => {
    if (index % 2 === 0) return part;
    const value = values[part];
    if (typeof value === "number") return formats.number.format(value);
    // Between marks that keep an address or a name from turning around.
    return typeof value === "string" && isRightToLeft(current) ? `\u2068${value}\u2069` : value;
  });
}

// How times and numbers are written here. Digits are those of the codes and messages: 0 to 9.
export function intl() {
  return formats;
}

// What the visitor has asked for: of the address (?lang=de, or several by comma, the most wanted first), or by the switch, on this
// visit or an earlier one.
export function wish() {
  return match([...(new URLSearchParams(location.search).get("lang") ?? "").split(","), kept(WISH) ?? ""]);
}

// For the server, where the browser's own Accept-Language does not say it already.
export function header() {
  if (asked === null || asked === match(browsers())) return null;
  return [asked, ...browsers()].join(", ").replace(/[^\w ,-]/g, "");
}

// `onChange` runs whenever all texts are to be written anew, `onWish(language)` when the visitor used the switch. `more`:
// the page's own folders of tables, and its English sentences of a number.
export function prepare(onChange, onWish, more = { folders: [], plurals: {} }) {
  redraw = onChange;
  folders = [...folders, ...more.folders];
  Object.assign(english, more.plurals);
  choice.addEventListener("change", async () => {
    const url = new URL(location.href);
    url.searchParams.delete("lang"); // The newer wish counts.
    history.replaceState(history.state, "", url);
    const language = choice.value;
    keep(WISH, language);
    if (!tables.get(language)) tables.delete(language); // Perhaps it can be loaded now.
    await choose();
    onWish(language);
  });
  choice.closest("[hidden]").hidden = false;
}

// Wish, account, browser, and at last what the server answers in.
export function choose({ account = "", server = "" } = {}) {
  asked = wish() ?? match([account]);
  served = server || served;
  return use(asked ?? match(browsers()) ?? match([served]) ?? SOURCE);
}

async function use(language) {
  const turn = ++newest;
  if (!tables.has(language)) tables.set(language, await load(language));
  if (turn !== newest) return;
  const found = tables.get(language);
  current = found ? language : SOURCE;
  table = found ?? english;
  formats = formatsOf(current);
  choice.value = current;
  document.documentElement.lang = current;
  document.documentElement.dir = isRightToLeft(current) ? "rtl" : "ltr";
  redraw();
}

// All of them or none: half a page in another language helps nobody.
async function load(language) {
  const loaded = await Promise.all(folders.map((folder) => loadFrom(folder, language)));
  return loaded.includes(null) ? null : Object.assign({}, ...loaded);
}

async function loadFrom(folder, language) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(new URL(`../${folder}/${language}.json`, import.meta.url), { signal: abort.signal, credentials: "same-origin" });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

function pick(sentence, { count }) {
  const text = table[sentence] ?? english[sentence] ?? sentence;
  return typeof text === "string" ? text : text[formats.plural.select(count)] ?? text.other;
}

// The first that is offered, of "pt-BR", "pt_BR.UTF-8" and the like.
function match(tags) {
  return tags.map((tag) => tag.split(/[^a-zA-Z]/)[0].toLowerCase()).find((tag) => offered.includes(tag)) ?? null;
}

function browsers() {
  return [...navigator.languages ?? [navigator.language ?? ""]];
}

// As in the visitor's own country, where the browser names one. Some systems have tags that Intl refuses, such as
// en-US@posix.
function formatsOf(language) {
  const own = browsers().find((tag) => tag.split("-")[0] === language && isKnown(tag));
  const locale = new Intl.Locale(own ?? (language === "en" ? "en-GB" : language), { numberingSystem: "latn" });
  return {
    number: new Intl.NumberFormat(locale),
    plural: new Intl.PluralRules(locale),
    relative: new Intl.RelativeTimeFormat(locale),
    day: new Intl.RelativeTimeFormat(locale, { numeric: "auto" }),
    time: new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" }),
    date: new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" }),
    short: (unit) => new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "short" }),
  };
}

function isKnown(tag) {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(tag).length > 0;
  } catch {
    return false;
  }
}
