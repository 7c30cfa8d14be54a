// Everybody's events, the newest first, by address, kind and time; and the same as a file for a spreadsheet.

import { make } from "../account/dom.js";
import * as door from "../account/door.js";
import { events as kinds, rows, wordsOf } from "../account/happened.js";
import { save } from "../account/save.js";
import { button } from "../account/sure.js";
import { whileBusy } from "../js/form.js";
import { t } from "../js/language.js";
import { clear, element } from "../js/views.js";
import * as api from "./api.js";

const form = element("events-form");
const kind = element("events-kind");
const alert = element("events-error");
const list = element("events");
const none = element("events-none");
const more = element("events-more");

let cursor = null;

export function prepare() {
  kind.append(make("option", { value: "" }, () => t("all")), ...kinds.map((event) => make("option", { value: event }, () => wordsOf(event))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(element("events-submit"), open);
  });
  const csv = element("events-csv");
  csv.addEventListener("click", () => whileBusy(csv, download));
  more.append(button(() => t("More"), load));
}

export function open() {
  list.replaceChildren();
  cursor = null;
  return load();
}

function filter() {
  return {
    destination: element("events-address").value.trim(),
    event: kind.value,
    from_date: element("events-from").value,
    to_date: element("events-to").value,
  };
}

async function load() {
  clear(alert);
  try {
    const { events, next_cursor: next } = await api.events(filter(), cursor ?? "");
    list.append(...rows(events));
    none.hidden = list.children.length > 0;
    cursor = next;
    more.hidden = !next;
  } catch (error) {
    door.tell(alert, error);
  }
}

async function download() {
  clear(alert);
  try {
    save(await api.eventsAsCsv(filter()), "events.csv", "text/csv");
  } catch (error) {
    door.tell(alert, error);
  }
}
