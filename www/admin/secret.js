// A secret that the server tells once, when it is made: it stands in this page alone, and goes with the next act.

import { element } from "../js/views.js";

// `name` is how the ids of the part begin.
export function shownOnce(name) {
  const box = element(`${name}-shown`);
  const text = element(`${name}-secret`);
  return {
    show(secret) {
      text.textContent = secret ?? "";
      box.hidden = !secret;
    },
    hide() {
      text.textContent = "";
      box.hidden = true;
    },
    // Where it is shown it is what to read next.
    focus(other) {
      (box.hidden ? other : box).focus();
    },
  };
}
