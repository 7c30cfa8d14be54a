// Step 3: signed in. Who, since when, where else, and the way out.

import * as authenticators from "./authenticators.js";
import { sentence, sessionOver } from "./errors.js";
import * as faster from "./faster.js";
import { whileBusy } from "./form.js";
import { t } from "./language.js";
import * as owner from "./owner.js";
import * as passkeys from "./passkeys.js";
import * as recovery from "./recovery.js";
import * as session from "./session.js";
import * as sessions from "./sessions.js";
import { clear, element, isShown, put, putAddress, say, show } from "./views.js";
import { dayAndTime } from "./words.js";

const signOut = element("sign-out");
const signOutAlert = element("sign-out-error");

let leave = () => {};

// `onSignedOut(notice)` runs when the visitor is no longer signed in.
export function prepare(onSignedOut) {
  leave = onSignedOut;
  faster.prepare();
  passkeys.prepare(over, factorsChanged);
  authenticators.prepare(over, factorsChanged);
  recovery.prepare(over);
  sessions.prepare(over);
  signOut.addEventListener("click", () => whileBusy(signOut, endThisSession));
}

export function open(user, isNew = false, isByCode = false) {
  put(element("account-welcome"), () => isNew ? t("Welcome! Your account is new.") : t("Welcome back."));
  putAddress(element("account-name"), user.email ?? user.phone_number ?? user.username ?? "");
  clear(element("account-since"));
  clear(signOutAlert);
  element("sessions").replaceChildren();
  say();
  show("account", () => t("Signed in"), owner.next());
  faster.close();
  passkeys.open().then((count) => isByCode && faster.open(count));
  authenticators.open();
  recovery.open(true);
  loadSessions();
}

function factorsChanged() {
  faster.close();
  return recovery.open(true);
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

async function loadSessions() {
  const listed = await sessions.open();
  if (listed?.current) setTime(element("account-since"), new Date(listed.current.created_at));
}

function setTime(time, date) {
  time.dateTime = date.toISOString();
  put(time, () => dayAndTime(date));
}
