// Which step is on the screen: shows one view, names it in the title, moves the focus there, and owns the status line.
// And every text on it, so that all can be written anew in another language.

import { t } from "./language.js";

const views = ["waiting", "unreachable", "address", "code", "second", "enrol", "link", "account"];
const status = document.getElementById("status");

// A text is kept as the function that makes it: a string, or pieces of which some are elements.
const texts = new Map();
for (const target of document.querySelectorAll("[data-text]")) {
  const sentence = target.textContent.replace(/\s+/g, " ").trim();
  texts.set(target, () => t(sentence));
}
let title = () => document.title;

// `makeTitle` makes the page's title. `focus` defaults to the heading, so that a screen reader starts reading there.
export function show(name, makeTitle, focus) {
  for (const view of views) element(`${view}-view`).hidden = view !== name;
  title = makeTitle;
  document.title = title();
  if (focus) focus.focus();
  else focusHeading(name);
}

export function isShown(name) {
  return !element(`${name}-view`).hidden;
}

export function focusHeading(name) {
  element(`${name}-view`).querySelector("h1").focus();
}

// Writes the text that `make` makes, now and in every other language that is chosen later.
export function put(target, make) {
  texts.set(target, make);
  target.replaceChildren(...[make()].flat());
}

export function clear(target) {
  texts.delete(target);
  target.textContent = "";
}

export function say(make) {
  if (make) put(status, make);
  else clear(status);
}

export function rewrite() {
  for (const [target, make] of texts) {
    if (target.isConnected) target.replaceChildren(...[make()].flat());
    else texts.delete(target);
  }
  document.title = title();
}

// An address that is too long for the line breaks before its @.
export function putAddress(target, address) {
  const [local, ...domain] = address.split("@");
  target.replaceChildren(local, document.createElement("wbr"), ...domain.map((part) => `@${part}`));
}

export function element(id) {
  return document.getElementById(id);
}
