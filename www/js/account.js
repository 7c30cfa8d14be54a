// Step 3: signed in. Who, since when, where else, and the way out.

import * as api from "./api.js";
import * as authenticators from "./authenticators.js";
import { sentence, sessionOver } from "./errors.js";
import { whileBusy } from "./form.js";
import { parts, t } from "./language.js";
import * as owner from "./owner.js";
import * as passkeys from "./passkeys.js";
import * as recovery from "./recovery.js";
import * as session from "./session.js";
import { clear, element, isShown, put, putAddress, say, show } from "./views.js";
import { dayAndTime, describeBrowser } from "./words.js";

const list = element("sessions");
const alert = element("sessions-error");
const retry = element("sessions-retry");
const signOut = element("sign-out");
const signOutAlert = element("sign-out-error");

let leave = () => {};

// `onSignedOut(notice)` runs when the visitor is no longer signed in.
export function prepare(onSignedOut) {
  leave = onSignedOut;
  passkeys.prepare(over, () => recovery.open(true));
  authenticators.prepare(over, () => recovery.open(true));
  recovery.prepare(over);
  signOut.addEventListener("click", () => whileBusy(signOut, endThisSession));
  retry.addEventListener("click", () => whileBusy(retry, async () => {
    await loadSessions();
    if (retry.hidden) element("sessions-title").focus();
  }));
}

export function open(user, isNew = false, isByCode = false) {
  put(element("account-welcome"), () => isNew ? t("Welcome! Your account is new.") : t("Welcome back."));
  putAddress(element("account-name"), user.email ?? user.phone_number ?? user.username ?? "");
  clear(element("account-since"));
  clear(signOutAlert);
  list.replaceChildren();
  say();
  show("account", () => t("Signed in"), owner.next());
  passkeys.open(isByCode);
  authenticators.open();
  recovery.open(true);
  loadSessions();
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
  clear(alert);
  list.setAttribute("aria-busy", "true");
  try {
    const { sessions } = await api.sessions();
    const newestFirst = (a, b) => b.current - a.current || Date.parse(b.last_seen_at) - Date.parse(a.last_seen_at);
    list.replaceChildren(...[...sessions].sort(newestFirst).map(row));
    setTime(element("account-since"), new Date(sessions.find((entry) => entry.current).created_at));
    retry.hidden = true;
  } catch (error) {
    if (error.status === 401) return over();
    put(alert, () => sentence(error));
    retry.hidden = false;
  } finally {
    list.removeAttribute("aria-busy");
  }
}

function row(entry) {
  const name = () => nameOf(entry);
  const seen = document.createElement("time");
  const item = document.createElement("li");
  const text = document.createElement("div");
  item.append(text, entry.current ? badge() : endButton(entry, name, item));
  text.append(
    paragraph("device", () => isolated(name())),
    paragraph("", () => {
      setTime(seen, new Date(entry.last_seen_at ?? entry.created_at));
      return parts("Active {time}", { time: seen });
    }),
    paragraph("", () => isolated(entry.ip ?? "")));
  return item;
}

// What this page told of a browser when it signed in is English; the header says the same.
function nameOf({ device = {}, user_agent: header }) {
  const own = device.platform === "web" ? null : device.device_name;
  return own || describeBrowser(header ?? "") || device.device_name || t("Unknown browser");
}

function badge() {
  const mark = document.createElement("span");
  mark.className = "badge";
  put(mark, () => t("This browser"));
  return mark;
}

function endButton(entry, name, item) {
  const button = document.createElement("button");
  button.type = "button";
  put(button, () => {
    const address = entry.ip ?? t("unknown address");
    button.setAttribute("aria-label", t("End session: {device}, {address}", { device: name(), address }));
    return t("End session");
  });
  button.addEventListener("click", () => whileBusy(button, () => end(entry, name, item)));
  return button;
}

async function end(entry, name, item) {
  clear(alert);
  say();
  try {
    await api.endSession(entry.id);
  } catch (error) {
    if (error.status === 401) return over();
    if (error.status !== 404) { // Gone already is as good.
      put(alert, () => sentence(error));
      return;
    }
  }
  const next = item.nextElementSibling?.querySelector("button") ?? element("sessions-title");
  item.remove();
  next.focus();
  say(() => t("Session ended: {device}.", { device: name() }));
}

function paragraph(className, make) {
  const result = document.createElement("p");
  result.className = className;
  put(result, make);
  return result;
}

// What is not of the page's language keeps its own direction.
function isolated(text) {
  const result = document.createElement("bdi");
  result.textContent = text;
  return result;
}

function setTime(time, date) {
  time.dateTime = date.toISOString();
  put(time, () => dayAndTime(date));
}
