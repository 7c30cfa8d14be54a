// The login page: which step follows which. Each step is a module that knows nothing of the others.

import * as account from "./account.js";
import * as address from "./address.js";
import * as api from "./api.js";
import * as confirm from "./confirm.js";
import * as enrol from "./enrol.js";
import { needsHttps, sentence, sessionOver, wantsPasskey } from "./errors.js";
import { whileBusy } from "./form.js";
import * as language from "./language.js";
import * as link from "./link.js";
import * as owner from "./owner.js";
import * as passkey from "./passkey.js";
import * as pendingCode from "./pending.js";
import * as second from "./second.js";
import * as session from "./session.js";
import * as site from "./site.js";
import { clear, element, isShown, put, rewrite, show } from "./views.js";

const { t } = language;

element("stuck").hidden = true;
element("site-name").textContent = location.hostname;
language.prepare(rewrite, (chosen) => {
  if (isShown("account")) api.setLocale(chosen).catch(() => {}); // Messages come in it too; the page does already.
});
address.prepare(
  (destination, answer) => enterCode(pendingCode.begin(destination, answer)),
  (destination) => {
    const known = confirm.awaited();
    enterCode(known?.destination === destination ? known : pendingCode.beginWithout(destination));
  },
  (answer) => arrive(answer, false));
confirm.prepare((answer) => {
  history.replaceState(null, "");
  arrive(answer, true);
}, (step) => {
  history.replaceState(null, "");
  second.open(step);
}, (destination, notice) => {
  history.replaceState(null, "");
  address.open(notice, destination);
});
second.prepare((answer) => arrive(answer, false), ({ user }) => {
  language.choose({ account: user.locale ?? "" });
  addFactor();
}, address.open);
enrol.prepare(address.open);
link.prepare((answer) => offerFactor(answer, () => enter(answer.user, answer.is_new_user)), second.open, begin);
account.prepare((notice) => {
  language.choose();
  address.open(notice);
});
pendingCode.onShared(share);
session.onChange(lookAgain);
document.addEventListener("visibilitychange", lookAgain); // It may have ended elsewhere, or while the laptop slept.
addEventListener("popstate", stepBack);
addEventListener("hashchange", link.open);
element("unreachable-retry").addEventListener("click", (event) => whileBusy(event.currentTarget, start));

show("waiting", () => t("Sign in"));
start();

async function start() {
  clear(element("unreachable-error"));
  const chosen = Promise.all([language.choose(), site.load()]);
  try {
    const user = await session.user();
    await chosen;
    element("site-name").textContent = site.name();
    owner.dress(site.all());
    owner.invite(site.all());
    if (link.open()) await language.choose({ server: api.answeredIn() });
    else if (user && !["again", "passkey"].includes(site.signsInFor())) enter(user);
    else if (!user && session.mayOnlyAddFactor()) addFactor();
    else await begin();
  } catch (error) {
    await chosen;
    show("unreachable", () => t("Sign in"), element("unreachable-retry"));
    put(element("unreachable-error"), () => sentence(error));
  }
}

async function begin() {
  await language.choose({ server: api.answeredIn() });
  const pending = pendingCode.resume();
  if (pending) confirm.open(pending);
  // Elsewhere than on the visitor's own machine, browsers keep our cookies from HTTPS only.
  else address.open(!isSecureContext ? needsHttps : site.signsInFor() === "passkey" ? wantsPasskey : undefined, site.hint());
  pendingCode.ask();
}

function arrive(answer, isByCode) {
  offerFactor(answer, (isOffered) => {
    enter(answer.user, answer.is_new_user, isByCode && !isOffered);
    // By a code nobody gets any further there; he may add a passkey first.
    if (site.signsInFor() && !(isByCode && site.signsInFor() === "passkey")) owner.goOn();
  });
}

// Where the site asks for a factor, which can be put off. `next(isOffered)` runs when it was, or where none is asked for.
function offerFactor({ user, factor_due_at: dueAt }, next) {
  if (!dueAt) return next(false);
  passkey.rest();
  confirm.close();
  language.choose({ account: user.locale ?? "" });
  enrol.open(dueAt, (protectedUser) => protectedUser ? beProtected(protectedUser) : next(true));
}

// The session opens nothing else until then.
function addFactor() {
  passkey.rest();
  confirm.close();
  enrol.open(null, beProtected);
}

function beProtected(user) {
  enter(user);
  if (site.signsInFor()) owner.goOn();
}

// With a place in the browser's history, so that Back leads to the address.
function enterCode(pending) {
  passkey.rest();
  history.pushState({ step: "code" }, "");
  confirm.open(pending);
}

function stepBack({ state }) {
  const pending = confirm.awaited();
  if (isShown("code")) {
    confirm.pause();
    address.open(undefined, pending.destination);
  } else if (isShown("address") && state?.step === "code" && pending) {
    confirm.open(pending);
  }
}

// Another tab waits for a code: it can be typed here as well, unless the visitor is about something else.
function share(pending) {
  const own = isShown("code") ? confirm.awaited() : null;
  const isNewer = own?.destination === pending.destination && own.otp_id !== pending.otp_id;
  if (!isNewer && !(isShown("address") && address.isEmpty())) return;
  passkey.rest();
  confirm.open(pendingCode.adopt(pending));
}

function enter(user, isNew, isByCode) {
  passkey.rest();
  confirm.close();
  language.choose({ account: user.locale ?? "" });
  account.open(user, isNew, isByCode);
}

async function lookAgain({ type }) {
  const isNews = type === "message";
  if (!isNews && (document.hidden || !isShown("account"))) return;
  try {
    const user = await session.user();
    if (user && isNews) {
      const waited = !isShown("account");
      enter(user);
      if (waited && site.signsInFor() === "here") owner.goOn(); // Signed in by another tab; this one is on its way.
    }
    if (!user && isShown("account")) address.open(sessionOver);
  } catch {
    // What cannot be asked now shows at the next click.
  }
}
