// How a page behind the sign-in begins: who is signed in, in whose language, in which dress. Who is not is sent to the sign-in.

import * as api from "../js/api.js";
import { sentence } from "../js/errors.js";
import { whileBusy } from "../js/form.js";
import * as language from "../js/language.js";
import * as owner from "../js/owner.js";
import * as session from "../js/session.js";
import * as site from "../js/site.js";
import { clear, element, put, rewrite, show } from "../js/views.js";
import { toSignIn } from "./door.js";

const { t } = language;
const retry = element("unreachable-retry");

let user = null;

// `tables`: the page's own sentences, see language.js. `title` makes its name, `enter(user)` fills it.
export function start(tables, title, enter) {
  element("stuck").hidden = true;
  element("site-name").textContent = location.hostname;
  language.prepare(rewrite, (chosen) => api.setLocale(chosen).catch(() => {}), tables);
  session.onChange(lookAgain);
  document.addEventListener("visibilitychange", () => document.hidden || lookAgain());
  const begin = () => load(title, enter);
  retry.addEventListener("click", () => whileBusy(retry, begin));
  show("waiting", title);
  begin();
}

export async function signOut(alert) {
  clear(alert);
  try {
    await session.signOut();
    location.assign(new URL("../", import.meta.url));
  } catch (error) {
    put(alert, () => `${t("You are still signed in.")} ${sentence(error)}`);
  }
}

async function load(title, enter) {
  clear(element("unreachable-error"));
  const chosen = Promise.all([language.choose(), site.load()]);
  try {
    user = await session.user();
    await chosen;
    if (!user) return toSignIn();
    element("site-name").textContent = site.name();
    owner.dress(site.all());
    await language.choose({ account: user.locale ?? "" });
    enter(user);
  } catch (error) {
    await chosen;
    show("unreachable", title, retry);
    put(element("unreachable-error"), () => sentence(error));
  }
}

// It may have ended elsewhere, or be another's by now, while this page was in the background.
async function lookAgain() {
  if (!user) return;
  try {
    const now = await session.user();
    if (now?.id === user.id) return;
    if (now) location.reload();
    else toSignIn();
  } catch {
    // What cannot be asked now shows at the next click.
  }
}
