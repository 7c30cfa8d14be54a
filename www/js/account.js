// Step 3: signed in. Who, since when, where else, and the way out.

import * as api from "./api.js";
import { sentence } from "./errors.js";
import { whileBusy } from "./form.js";
import * as session from "./session.js";
import { element, putAddress, say, show } from "./views.js";
import { dayAndTime, describeBrowser } from "./words.js";

const list = element("sessions");
const alert = element("sessions-error");
const retry = element("sessions-retry");
const signOut = element("sign-out");

// `onSignedOut(notice)` runs when the visitor has signed out.
export function prepare(onSignedOut) {
  signOut.addEventListener("click", () => whileBusy(signOut, () => leave(onSignedOut)));
  retry.addEventListener("click", () => whileBusy(retry, async () => {
    await loadSessions();
    if (retry.hidden) element("sessions-title").focus();
  }));
}

export function open(user) {
  const { is_new_user: isNew, signed_in_at: since } = session.current();
  element("account-welcome").textContent = isNew ? "Welcome! Your account is new." : "Welcome back.";
  putAddress(element("account-name"), user.email ?? user.phone_number ?? user.username ?? "");
  setTime(element("account-since"), new Date(since));
  list.replaceChildren();
  say("");
  show("account", "Signed in");
  loadSessions();
}

async function leave(onSignedOut) {
  try {
    await session.signOut();
    onSignedOut("You are signed out.");
  } catch {
    onSignedOut("You are signed out here, but the server could not be told: there, this session ends by itself when it expires.");
  }
}

async function loadSessions() {
  alert.textContent = "";
  list.setAttribute("aria-busy", "true");
  try {
    const { sessions } = await session.withAccess(api.sessions);
    const newestFirst = (a, b) => b.current - a.current || Date.parse(b.last_seen_at) - Date.parse(a.last_seen_at);
    list.replaceChildren(...[...sessions].sort(newestFirst).map(row));
    retry.hidden = true;
  } catch (error) {
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
    await session.withAccess((access) => api.endSession(access, entry.id));
  } catch (error) {
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
