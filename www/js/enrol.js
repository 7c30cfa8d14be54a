// Adding a first passkey or app at the sign-in: where the site asks for one, or where a recovery code has let its owner in
// to replace the one that is lost. Until then nothing else of the account is open, or it can be put off for some days.

import { appForm } from "./appform.js";
import { sentence } from "./errors.js";
import { whileBusy } from "./form.js";
import { parts, t } from "./language.js";
import * as passkey from "./passkey.js";
import * as session from "./session.js";
import { clear, element, focusHeading, put, say, show } from "./views.js";
import { dayAndTime, nameOfThisBrowser } from "./words.js";

const alert = element("enrol-error");
const choices = element("enrol-choices");
const addPasskey = element("enrol-passkey");
const addApp = element("enrol-app");
const later = element("enrol-later");
const signOut = element("enrol-leave");

let form;
let goOn = () => {};
let leave = () => {};

// `onLeave(notice)` runs when the visitor wants out, or turns out to be no longer signed in.
export function prepare(onLeave) {
  leave = onLeave;
  form = appForm("enrol-app", () => attempt(added), () => {
    choices.hidden = false;
    addApp.focus();
  }, () => leave());
  addPasskey.addEventListener("click", () => whileBusy(addPasskey, () => attempt(async () => {
    await passkey.make(nameOfThisBrowser() ?? "Passkey");
    await added();
  })));
  addApp.addEventListener("click", () => whileBusy(addApp, () => attempt(async () => {
    await form.begin();
    choices.hidden = true;
  })));
  later.addEventListener("click", () => goOn(null));
  signOut.addEventListener("click", () => whileBusy(signOut, () => attempt(async () => {
    await session.signOut();
    leave(() => t("You are signed out."));
  })));
}

// `dueAt`: until when it can be put off, as the server says it; null: not at all. `onDone(user)` runs when one was added,
// and with null when it is put off.
export function open(dueAt, onDone) {
  goOn = onDone;
  const mayWait = dueAt !== null;
  const end = document.createElement("time");
  put(element("enrol-lead"), () => {
    if (!mayWait) return t("Add a passkey or an authenticator app now: until then nothing else of your account is open.");
    end.dateTime = dueAt;
    end.textContent = dayAndTime(new Date(dueAt));
    return parts("This site asks for a passkey or an authenticator app besides the code. You can put it off until {time}.", { time: end });
  });
  addPasskey.hidden = !passkey.isPossible();
  addApp.classList.toggle("primary", addPasskey.hidden);
  later.hidden = !mayWait;
  choices.hidden = false;
  form.close();
  clear(alert);
  say();
  show("enrol", () => t("Protect your account"));
}

async function attempt(action) {
  clear(alert);
  say();
  try {
    await action();
  } catch (error) {
    put(alert, () => sentence(error));
  }
}

// A passkey that does not verify its user is none that the site asks for.
async function added() {
  const user = await session.user();
  if (user && !session.factorDueAt()) return goOn(user);
  choices.hidden = false;
  put(alert, () => t("This passkey does not ask for your PIN, fingerprint or face. Add another one, or an app."));
  focusHeading("enrol");
}
