// What happened to the account, in plain words.

import { t } from "../js/language.js";
import { clear, element } from "../js/views.js";
import * as api from "./api.js";
import * as door from "./door.js";
import { rows } from "./happened.js";
import { button } from "./sure.js";

const alert = element("events-error");
const list = element("events");
const more = element("events-more");

let user = null;
let next = null;

export function prepare(signedIn) {
  user = signedIn;
  more.append(button(() => t("More"), load));
}

export function open() {
  list.replaceChildren();
  next = null;
  return load();
}

async function load() {
  clear(alert);
  try {
    const page = await api.ownEvents(user, next ?? {});
    list.append(...rows(page.events));
    next = page.next;
    more.hidden = !next;
  } catch (error) {
    door.tell(alert, error);
  }
}
