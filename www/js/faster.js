// The offer after a code: next time it could be a passkey. Who says "not now" is not asked again in this browser.

import * as api from "./api.js";
import { sentence } from "./errors.js";
import { whileBusy } from "./form.js";
import { t } from "./language.js";
import * as passkey from "./passkey.js";
import { keep, kept } from "./storage.js";
import { clear, element, focusHeading, isShown, put, say } from "./views.js";
import { nameOfThisBrowser } from "./words.js";

const LATER = "otpgate.passkey";

const section = element("faster");
const add = element("faster-add");
const alert = element("faster-error");

let leave = () => {};

// `onSignedOut()` runs when the visitor turns out to be no longer signed in.
export function prepare(onSignedOut) {
  leave = onSignedOut;
  add.addEventListener("click", () => whileBusy(add, make));
  element("faster-later").addEventListener("click", () => {
    keep(LATER, "later");
    close();
    focusHeading("account");
  });
}

// To whoever has none, and can have one here.
export async function offer() {
  clear(alert);
  if (!passkey.isPossible() || kept(LATER) !== null) return;
  try {
    const { passkeys } = await api.passkeys();
    section.hidden = !isShown("account") || passkeys.length > 0;
  } catch {
    // Nobody has asked for it.
  }
}

export function close() {
  section.hidden = true;
}

async function make() {
  clear(alert);
  say();
  try {
    const made = await passkey.make(nameOfThisBrowser() ?? "Passkey");
    close();
    focusHeading("account");
    say(() => t("Passkey added: {name}.", { name: made.name }));
  } catch (error) {
    if (error.status === 401 && error.code !== "INSUFFICIENT_USER_AUTHENTICATION") return leave();
    put(alert, () => sentence(error));
  }
}
