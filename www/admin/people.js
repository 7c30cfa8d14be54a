// Find a person by what an address, a name or an id begins with. Who is not there was perhaps mistyped: then the nearest are
// shown, and what was sent to the address that nobody has.

import { isolated, make } from "../account/dom.js";
import * as door from "../account/door.js";
import { rows } from "../account/happened.js";
import { button } from "../account/sure.js";
import { whileBusy } from "../js/form.js";
import { t } from "../js/language.js";
import { clear, element, put } from "../js/views.js";
import * as api from "./api.js";
import { nearest, searchesFor } from "./nearest.js";

const MOST_CANDIDATES = 200;

const form = element("people-form");
const input = element("people-search");
const alert = element("people-error");
const found = element("people-found");
const list = element("people");
const more = element("people-more");
const events = element("people-events");

let searched = "";
let cursor = null;

export function prepare() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(element("people-submit"), () => find(input.value.trim()));
  });
  more.append(button(() => t("More"), showMore));
}

export function open() {
  if (list.children.length === 0) find(input.value.trim());
  input.focus();
}

// Who is the only one is shown at once.
async function find(text) {
  clear(alert);
  events.replaceChildren();
  try {
    const page = await api.findPeople(text);
    searched = text;
    fill(page);
    if (text && page.users.length === 1 && !page.next_cursor) location.hash = `#person/${page.users[0].id}`;
    else if (text && page.users.length === 0) await showNearest(text);
    else put(found, () => text ? t("Whose address, name or id begins with “{text}”:", { text }) : t("The newest accounts:"));
  } catch (error) {
    door.tell(alert, error);
  }
}

function fill({ users, next_cursor: next }) {
  list.replaceChildren(...users.map(row));
  cursor = next;
  more.hidden = !next;
}

async function showMore() {
  try {
    const { users, next_cursor: next } = await api.findPeople(searched, { cursor });
    list.append(...users.map(row));
    cursor = next;
    more.hidden = !next;
  } catch (error) {
    door.tell(alert, error);
  }
}

async function showNearest(text) {
  const pages = await Promise.all(searchesFor(text).map((search) => api.findPeople(search, { limit: MOST_CANDIDATES })));
  const users = nearest(text, pages.flatMap((page) => page.users));
  list.replaceChildren(...users.map(row));
  put(found, () => users.length > 0
    ? t("No account has “{text}”. The nearest that there are:", { text })
    : t("No account has “{text}”, and none has one that is like it.", { text }));
  if (!/^\+|@/.test(text)) return;
  const { events: told } = await api.events({ destination: text });
  events.replaceChildren(...rows(told));
}

// What a person is called by.
export function nameOf(user) {
  return user.email ?? user.phone_number ?? user.username ?? user.id;
}

function row(user) {
  const name = nameOf(user);
  const more = [user.phone_number, user.username, user.display_name].filter((text) => text && text !== name);
  const item = make("li", {}, make("div", {},
    make("p", { class: "device" }, make("a", { href: `#person/${user.id}` }, isolated(name))),
    ...more.map((text) => make("p", {}, isolated(text)))));
  if (user.status === "disabled") item.append(make("span", { class: "badge" }, () => t("disabled")));
  if (user.role === "admin") item.append(make("span", { class: "badge" }, () => t("administrator")));
  return item;
}
