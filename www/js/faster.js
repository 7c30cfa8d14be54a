// The offer after a code: next time it could be a passkey. Who says "not now" is not asked again in this browser.

import { whileBusy } from "./form.js";
import * as passkey from "./passkey.js";
import * as passkeys from "./passkeys.js";
import { keep, kept } from "./storage.js";
import { element } from "./views.js";

const LATER = "otpgate.passkey";

const section = element("faster");
const add = element("faster-add");

export function prepare() {
  add.addEventListener("click", () => whileBusy(add, passkeys.make));
  element("faster-later").addEventListener("click", () => {
    keep(LATER, "later");
    close();
    element("passkeys-title").focus();
  });
}

// `count`: of passkeys that there are; undefined where that is not known.
export function open(count) {
  section.hidden = !(passkey.isPossible() && count === 0 && kept(LATER) === null);
}

export function close() {
  section.hidden = true;
}
