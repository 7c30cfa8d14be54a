// Everybody's events, the newest first, by address, kind and time; and the same as a file for a spreadsheet.

import { make } from "../account/dom.js";
import * as door from "../account/door.js";
import { events as kinds, rows, wordsOf } from "../account/happened.js";
import { save } from "../account/save.js";
import { whileBusy } from "../js/form.js";
import { t } from "../js/language.js";
import { clear, element } from "../js/views.js";
import * as api from "./api.js";
import { pagedList } from "./paged.js";

const form = element("events-form");
const kind = element("events-kind");
const alert = element("events-error");
const list = pagedList("events", async (cursor) => {
  const { events, next_cursor: next } = await api.events(filter(), cursor);
  return { rows: rows(events), next };
});

export const { open } = list;

export function prepare() {
  kind.append(make("option", { value: "" }, () => t("all")), ...kinds.map((event) => make("option", { value: event }, () => wordsOf(event))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(element("events-submit"), open);
  });
  const csv = element("events-csv");
  csv.addEventListener("click", () => whileBusy(csv, download));
  list.prepare();
}

function filter() {
  return {
    destination: element("events-address").value.trim(),
    event: kind.value,
    from_date: element("events-from").value,
    to_date: element("events-to").value,
  };
}

async function download() {
  clear(alert);
  try {
    save(await api.eventsAsCsv(filter()), "events.csv", "text/csv");
  } catch (error) {
    door.tell(alert, error);
  }
}
