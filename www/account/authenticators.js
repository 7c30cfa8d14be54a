// The visitor's authenticator apps: the list, and adding one by its QR code and its first code.

import * as api from "../js/api.js";
import { appForm } from "../js/appform.js";
import { whileBusy } from "../js/form.js";
import { parts, t } from "../js/language.js";
import { clear, element, put, say } from "../js/views.js";
import { dayAndTime } from "../js/words.js";
import * as door from "./door.js";

const section = element("apps-section");
const list = element("apps");
const none = element("apps-none");
const alert = element("apps-error");
const add = element("app-add");

let changed = () => {};
let form;

// `onChange()` runs when an app was added or removed.
export function prepare(onChange) {
  changed = onChange;
  form = appForm("app", added, () => {
    add.hidden = false;
    add.focus();
  }, door.toSignIn);
  add.addEventListener("click", () => whileBusy(add, begin));
}

export async function open() {
  clear(alert);
  form.close();
  add.hidden = false;
  section.hidden = true;
  list.replaceChildren();
  try {
    const { authenticators } = await api.apps();
    section.hidden = false;
    list.replaceChildren(...authenticators.map(row));
    none.hidden = authenticators.length > 0;
  } catch (error) {
    section.hidden = false;
    door.tell(alert, error);
  }
}

async function begin() {
  clear(alert);
  say();
  try {
    await form.begin();
    add.hidden = true;
  } catch (error) {
    door.tell(alert, error);
  }
}

function added(made) {
  list.append(row(made));
  none.hidden = true;
  add.hidden = false;
  element("apps-title").focus();
  say(() => t("Authenticator app added: {name}.", { name: made.name }));
  changed();
}

function row(entry) {
  const item = document.createElement("li");
  const text = document.createElement("div");
  const title = document.createElement("p");
  const line = document.createElement("p");
  const used = document.createElement("time");
  const shown = document.createElement("bdi");
  const remove = document.createElement("button");
  title.className = "device";
  shown.textContent = entry.name;
  title.append(shown);
  put(line, () => {
    if (!entry.last_used_at) return t("Not used yet");
    used.dateTime = entry.last_used_at;
    used.textContent = dayAndTime(new Date(entry.last_used_at));
    return parts("Last used {time}", { time: used });
  });
  remove.type = "button";
  put(remove, () => {
    remove.setAttribute("aria-label", t("Remove: {name}", { name: entry.name }));
    return t("Remove");
  });
  remove.addEventListener("click", () => whileBusy(remove, () => end(entry, item)));
  text.append(title, line);
  item.append(text, remove);
  return item;
}

async function end(entry, item) {
  clear(alert);
  say();
  try {
    await api.removeApp(entry.id);
  } catch (error) {
    if (error.status !== 404) return door.tell(alert, error); // Gone already is as good.
  }
  item.remove();
  none.hidden = list.children.length > 0;
  element("apps-title").focus();
  say(() => t("Authenticator app removed: {name}.", { name: entry.name }));
  changed();
}
