// Step 3: signed in. Who, since when, where else, and the way out.

import * as api from "./api.js";
import { sentence, sessionOver } from "./errors.js";
import { whileBusy } from "./form.js";
import * as session from "./session.js";
import { element, isShown, putAddress, say, show } from "./views.js";
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
  signOut.addEventListener("click", () => whileBusy(signOut, endThisSession));
  retry.addEventListener("click", () => whileBusy(retry, async () => {
    await loadSessions();
    if (retry.hidden) element("sessions-title").focus();
  }));
}

export function open(user, isNew = false) {
  element("account-welcome").textContent = isNew ? "Welcome! Your account is new." : "Welcome back.";
  putAddress(element("account-name"), user.email ?? user.phone_number ?? user.username ?? "");
  element("account-since").textContent = signOutAlert.textContent = "";
  list.replaceChildren();
  say("");
  show("account", "Signed in");
  loadSessions();
}

async function endThisSession() {
  signOutAlert.textContent = "";
  try {
    await session.signOut();
    leave("You are signed out.");
  } catch (error) {
    signOutAlert.textContent = `You are still signed in. ${sentence(error)}`;
  }
}

// Unless the visitor has just signed out and been told so.
function over() {
  if (isShown("account")) leave(sessionOver);
}

async function loadSessions() {
  alert.textContent = "";
  list.setAttribute("aria-busy", "true");
  try {
    const { sessions } = await api.sessions();
    const newestFirst = (a, b) => b.current - a.current || Date.parse(b.last_seen_at) - Date.parse(a.last_seen_at);
    list.replaceChildren(...[...sessions].sort(newestFirst).map(row));
    setTime(element("account-since"), new Date(sessions.find((entry) => entry.current).created_at));
    retry.hidden = true;
  } catch (error) {
    if (error.status === 401) return over();
    alert.textContent = sentence(error);
    retry.hidden = false;
  } finally {
    list.removeAttribute("aria-busy");
  }
}

function row(entry) {
  const name = entry.device?.device_name || describeBrowser(entry.user_agent ?? "") || "Unknown browser";
  const seen = document.createElement("time");
  setTime(seen, new Date(entry.last_seen_at ?? entry.created_at));

  const text = document.createElement("div");
  text.append(paragraph("device", name), paragraph("", "Active ", seen), paragraph("", entry.ip ?? ""));

  const item = document.createElement("li");
  item.append(text, entry.current ? badge() : endButton(entry, name, item));
  return item;
}

function badge() {
  const mark = document.createElement("span");
  mark.className = "badge";
  mark.textContent = "This browser";
  return mark;
}

function endButton(entry, name, item) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "End session";
  button.setAttribute("aria-label", `End session: ${name}, ${entry.ip ?? "unknown address"}`);
  button.addEventListener("click", () => whileBusy(button, () => end(entry, name, item)));
  return button;
}

async function end(entry, name, item) {
  alert.textContent = "";
  say("");
  try {
    await api.endSession(entry.id);
  } catch (error) {
    if (error.status === 401) return over();
    if (error.status !== 404) { // Gone already is as good.
      alert.textContent = sentence(error);
      return;
    }
  }
  const next = item.nextElementSibling?.querySelector("button") ?? element("sessions-title");
  item.remove();
  next.focus();
  say(`Session ended: ${name}.`);
}

function paragraph(className, ...content) {
  const result = document.createElement("p");
  result.className = className;
  result.append(...content);
  return result;
}

function setTime(time, date) {
  time.dateTime = date.toISOString();
  time.textContent = dayAndTime(date);
}
