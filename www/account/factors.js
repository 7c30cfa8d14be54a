// What the account wants besides a code: passkeys, authenticator apps, and recovery codes for who has lost them.

import * as api from "../js/api.js";
import * as authenticators from "../js/authenticators.js";
import * as passkeys from "../js/passkeys.js";
import * as recovery from "../js/recovery.js";
import { clear, element } from "../js/views.js";
import * as door from "./door.js";

const alert = element("factors-error");

export function prepare() {
  passkeys.prepare(door.toSignIn, showRecovery);
  authenticators.prepare(door.toSignIn, showRecovery);
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
  showRecovery();
}

function showRecovery() {
  recovery.open(true);
}
