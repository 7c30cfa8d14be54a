// The login page: which step follows which. Each step is a module that knows nothing of the others.

import * as account from "./account.js";
import * as address from "./address.js";
import * as api from "./api.js";
import * as confirm from "./confirm.js";
import { sentence } from "./errors.js";
import { whileBusy } from "./form.js";
import * as pendingCode from "./pending.js";
import * as session from "./session.js";
import { element, show } from "./views.js";

const sessionOver = "Your session has ended. Please sign in again.";

element("site-name").textContent = location.hostname;
address.prepare((destination, answer) => confirm.open(pendingCode.begin(destination, answer)));
confirm.prepare(signedIn, () => address.open());
account.prepare((notice) => address.open(notice));
session.onOver(() => address.open(sessionOver));
element("unreachable-retry").addEventListener("click", (event) => whileBusy(event.currentTarget, resumeSession));

if (session.current()) {
  show("waiting", "Sign in");
  resumeSession();
} else {
  const pending = pendingCode.resume();
  if (pending) confirm.open(pending);
  else address.open();
}

function signedIn(answer) {
  session.start(answer);
  account.open(answer.user);
}

async function resumeSession() {
  element("unreachable-error").textContent = "";
  try {
    const { user } = await session.withAccess(api.me);
    account.open(user);
  } catch (error) {
    if (!session.current()) return; // onOver has shown the address form.
    show("unreachable", "Signed in", element("unreachable-retry"));
    element("unreachable-error").textContent = sentence(error);
  }
}
