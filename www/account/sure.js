// A button of an act that is for good: the press asks, in its place, and a second one does it.

import { whileBusy } from "../js/form.js";
import { t } from "../js/language.js";
import { make } from "./dom.js";

// `words` makes the text of the button, `question` what is asked.
export function sure(words, question, act, attributes = {}) {
  const begin = make("button", { type: "button", ...attributes }, words);
  const asked = make("p", { tabindex: "-1" }, question);
  const yes = make("button", { type: "button", class: "danger" }, words);
  const no = make("button", { type: "button", class: "link" }, () => t("Cancel"));
  const group = make("div", { class: "sure", hidden: true }, asked, yes, no);
  const ask = (isAsking) => {
    group.hidden = !isAsking;
    begin.hidden = isAsking;
    (isAsking ? asked : begin).focus();
  };
  begin.addEventListener("click", () => ask(true));
  no.addEventListener("click", () => ask(false));
  yes.addEventListener("click", () => whileBusy(yes, async () => {
    await act();
    group.hidden = true;
    begin.hidden = false;
  }));
  return make("div", { class: "act" }, begin, group);
}

// One that is done at once.
export function button(words, act, attributes = {}) {
  const result = make("button", { type: "button", ...attributes }, words);
  result.addEventListener("click", () => whileBusy(result, act));
  return result;
}
