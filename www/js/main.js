// The login page: which step follows which. Each step is a module that knows nothing of the others.

import * as account from "./account.js";
import * as address from "./address.js";
import * as confirm from "./confirm.js";
import { needsHttps, sentence, sessionOver } from "./errors.js";
import { whileBusy } from "./form.js";
import * as pendingCode from "./pending.js";
import * as session from "./session.js";
import { element, isShown, show } from "./views.js";

element("site-name").textContent = location.hostname;
address.prepare((destination, answer) => confirm.open(pendingCode.begin(destination, answer)));
confirm.prepare((answer) => account.open(answer.user, answer.is_new_user), () => address.open());
account.prepare((notice) => address.open(notice));
session.onChange(lookAgain);
document.addEventListener("visibilitychange", lookAgain); // It may have ended elsewhere, or while the laptop slept.
element("unreachable-retry").addEventListener("click", (event) => whileBusy(event.currentTarget, start));

show("waiting", "Sign in");
start();

async function start() {
  element("unreachable-error").textContent = "";
  try {
    const user = await session.user();
    if (user) enter(user);
    else begin();
  } catch (error) {
    show("unreachable", "Sign in", element("unreachable-retry"));
    element("unreachable-error").textContent = sentence(error);
  }
}

function begin() {
  const pending = pendingCode.resume();
  if (pending) confirm.open(pending);
  // Elsewhere than on the visitor's own machine, browsers keep our cookies from HTTPS only.
  else address.open(isSecureContext ? "" : needsHttps);
}

function enter(user) {
  confirm.close();
  account.open(user);
}

async function lookAgain({ type }) {
  const isNews = type === "message";
  if (!isNews && (document.hidden || !isShown("account"))) return;
  try {
    const user = await session.user();
    if (user && isNews) enter(user);
    if (!user && isShown("account")) address.open(sessionOver);
  } catch {
    // What cannot be asked now shows at the next click.
  }
}
