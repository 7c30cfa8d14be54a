// A page of several parts, of which the address names one after its #: shows it, marks its link, and lets it be filled.

import { element } from "../js/views.js";

const nav = element("parts");

let openers = {};
let leave = () => {};
let shown = null;
let first = "";

// `parts`: by name, what fills it: open(rest), where `rest` is what the address says behind the name, as in #people/ann. The
// first of them is shown where the address names none. `onLeave()` runs when one takes the place of another.
export function prepare(parts, onLeave) {
  openers = parts;
  leave = onLeave;
  [first] = Object.keys(parts);
  addEventListener("hashchange", open);
}

export function open() {
  const [name, ...rest] = decode(location.hash.slice(1)).split("/");
  const known = Object.keys(openers).includes(name) ? name : first;
  const isOther = known !== shown;
  for (const each of Object.keys(openers)) element(`${each}-part`).hidden = each !== known;
  for (const link of nav.querySelectorAll("a")) {
    if (link.hash === `#${known}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (isOther && shown !== null) leave();
  shown = known;
  if (isOther) element(`${known}-part`).querySelector("h2").focus();
  openers[known](known === name ? rest.join("/") : "");
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
