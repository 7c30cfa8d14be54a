// What the account wants besides a code: passkeys, authenticator apps, and recovery codes for who has lost them.

import * as authenticators from "./authenticators.js";
import * as passkeys from "./passkeys.js";
import * as recovery from "./recovery.js";

export function prepare() {
  passkeys.prepare(recovery.open);
  authenticators.prepare(recovery.open);
  recovery.prepare();
}

export function open() {
  passkeys.open();
  authenticators.open();
  recovery.open();
}
