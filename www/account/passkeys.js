// The visitor's passkeys, of the account: the list, and what can be done with each.

import * as api from "../js/api.js";
import { whileBusy } from "../js/form.js";
import { parts, t } from "../js/language.js";
import * as passkey from "../js/passkey.js";
import { clear, element, put, say } from "../js/views.js";
import { dayAndTime, nameOfThisBrowser } from "../js/words.js";
import * as door from "./door.js";

const section = element("passkeys-section");
const list = element("passkeys");
const none = element("passkeys-none");
const alert = element("passkeys-error");
const add = element("passkey-add");

let changed = () => {};

// `onChange()` runs when one was added or removed.
export function prepare(onChange) {
  changed = onChange;
  add.addEventListener("click", () => whileBusy(add, make));
}

export async function open() {
  clear(alert);
  section.hidden = true;
  list.replaceChildren();
  try {
    const { passkeys } = await api.passkeys();
    section.hidden = !passkey.isPossible() && passkeys.length === 0;
    add.hidden = !passkey.isPossible();
    list.replaceChildren(...passkeys.map(row));
    none.hidden = passkeys.length > 0;
  } catch (error) {
    section.hidden = false;
    door.tell(alert, error);
  }
}

async function make() {
  clear(alert);
  say();
  try {
    const made = await passkey.make(nameOfThisBrowser() ?? "Passkey");
    list.append(row(made));
    none.hidden = true;
    element("passkeys-title").focus();
    say(() => t("Passkey added: {name}.", { name: made.name }));
    changed();
  } catch (error) {
    door.tell(alert, error);
  }
}

function row(entry) {
  const item = document.createElement("li");
  const text = document.createElement("div");
  const name = paragraph("device");
  const used = document.createElement("time");
  text.append(name, paragraph("", () => {
    if (!entry.last_used_at) return t("Not used yet");
    used.dateTime = entry.last_used_at;
    used.textContent = dayAndTime(new Date(entry.last_used_at));
    return parts("Last used {time}", { time: used });
  }));
  const write = () => put(name, () => isolated(entry.name));
  write();
  const rename = button(() => t("Rename"), () => t("Rename: {name}", { name: entry.name }), () => edit(entry, item, text, write));
  const remove = button(() => t("Remove"), () => t("Remove: {name}", { name: entry.name }), () => end(entry, item));
  item.append(text, rename, remove);
  return item;
}

function edit(entry, item, text, write) {
  item.querySelector("form")?.remove();
  const form = document.createElement("form");
  const label = document.createElement("label");
  const input = document.createElement("input");
  const save = document.createElement("button");
  input.id = `name-${entry.id}`;
  input.value = entry.name;
  input.maxLength = 100;
  input.autocomplete = "off";
  label.htmlFor = input.id;
  put(label, () => t("Name"));
  put(save, () => t("Save"));
  form.append(label, input, save);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(save, async () => {
      clear(alert);
      try {
        await api.renamePasskey(entry.id, input.value);
        entry.name = input.value.trim();
        write();
        form.remove();
        item.querySelector("button").focus();
        say(() => t("Passkey renamed: {name}.", { name: entry.name }));
      } catch (error) {
        door.tell(alert, error);
      }
    });
  });
  text.append(form);
  input.select();
}

async function end(entry, item) {
  clear(alert);
  say();
  try {
    await api.removePasskey(entry.id);
  } catch (error) {
    if (error.status !== 404) return door.tell(alert, error); // Gone already is as good.
  }
  item.remove();
  none.hidden = list.children.length > 0;
  element("passkeys-title").focus();
  say(() => t("Passkey removed: {name}.", { name: entry.name }));
  changed();
}

function button(makeText, makeLabel, act) {
  const result = document.createElement("button");
  result.type = "button";
  put(result, () => {
    result.setAttribute("aria-label", makeLabel());
    return makeText();
  });
  result.addEventListener("click", () => whileBusy(result, act));
  return result;
}

function paragraph(className, make) {
  const result = document.createElement("p");
  result.className = className;
  if (make) put(result, make);
  return result;
}

function isolated(text) {
  const result = document.createElement("bdi");
  result.textContent = text;
  return result;
}
