// What the account wants besides a code: passkeys, authenticator apps, and recovery codes for who has lost them.

import * as api from "../js/api.js";
import { clear, element } from "../js/views.js";
import * as authenticators from "./authenticators.js";
import * as door from "./door.js";
import * as passkeys from "./passkeys.js";
import * as recovery from "./recovery.js";

const alert = element("factors-error");

export function prepare() {
  passkeys.prepare(door.toSignIn, recovery.open);
  authenticators.prepare(door.toSignIn, recovery.open);
  recovery.prepare(door.toSignIn);
}

// The lists are for a recent sign-in, and say nothing where it is not; so it is asked first.
export async function open() {
  clear(alert);
  try {
    await api.passkeys();
  } catch (error) {
    return door.tell(alert, error);
  }
  passkeys.open();
  authenticators.open();
  recovery.open();
}
