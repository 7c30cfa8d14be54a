// Step 3: signed in. Who, where to go on, and the way out. All else of the account has a page of its own.

import { sentence, sessionOver } from "./errors.js";
import * as faster from "./faster.js";
import { whileBusy } from "./form.js";
import { t } from "./language.js";
import * as owner from "./owner.js";
import * as session from "./session.js";
import { clear, element, isShown, put, putAddress, say, show } from "./views.js";

const signOut = element("sign-out");
const signOutAlert = element("sign-out-error");

let leave = () => {};

// `onSignedOut(notice)` runs when the visitor is no longer signed in.
export function prepare(onSignedOut) {
  leave = onSignedOut;
  faster.prepare(over);
  signOut.addEventListener("click", () => whileBusy(signOut, endThisSession));
}

// `isByCode`: the visitor has just typed one, and may be asked once whether there is to be another way.
export function open(user, isNew = false, isByCode = false) {
  put(element("account-welcome"), () => isNew ? t("Welcome! Your account is new.") : t("Welcome back."));
  putAddress(element("account-name"), user.email ?? user.phone_number ?? user.username ?? "");
  clear(signOutAlert);
  say();
  show("account", () => t("Signed in"), owner.next());
  faster.close();
  if (isByCode) faster.offer();
}

async function endThisSession() {
  clear(signOutAlert);
  try {
    await session.signOut();
    leave(() => t("You are signed out."));
  } catch (error) {
    put(signOutAlert, () => `${t("You are still signed in.")} ${sentence(error)}`);
  }
}

// Unless the visitor has just signed out and been told so.
function over() {
  if (isShown("account")) leave(sessionOver);
}
