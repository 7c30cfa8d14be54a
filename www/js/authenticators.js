// The visitor's authenticator apps: the list, and adding one by its QR code and its first code.

import * as api from "./api.js";
import { clean, looksComplete } from "./code.js";
import { sentence } from "./errors.js";
import { clearError, complain, refuse, whileBusy } from "./form.js";
import { parts, t } from "./language.js";
import { clear, element, isShown, put, say } from "./views.js";
import { dayAndTime } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 4; // modules of light around it, which scanners need

const section = element("apps-section");
const list = element("apps");
const none = element("apps-none");
const alert = element("apps-error");
const add = element("app-add");
const form = element("app-form");
const name = element("app-name");
const input = element("app-code");
const codeAlert = element("app-code-error");

let leave = () => {};
let changed = () => {};
let token = "";

// `onSignedOut()` runs when the visitor turns out to be no longer signed in, `onChange()` when an app was added or removed.
export function prepare(onSignedOut, onChange) {
  leave = onSignedOut;
  changed = onChange;
  add.addEventListener("click", () => whileBusy(add, begin));
  element("app-cancel").addEventListener("click", () => {
    close();
    add.focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(element("app-confirm"), confirm);
  });
}

export async function open() {
  clear(alert);
  close();
  section.hidden = true;
  list.replaceChildren();
  try {
    const { authenticators } = await api.apps();
    if (!isShown("account")) return;
    section.hidden = false;
    list.replaceChildren(...authenticators.map(row));
    none.hidden = authenticators.length > 0;
  } catch (error) {
    if (error.status === 401 && isShown("account")) leave();
  }
}

async function begin() {
  clear(alert);
  say();
  try {
    const { token: given, secret, qr } = await api.appInvitation();
    token = given;
    element("app-qr").replaceChildren(draw(qr));
    element("app-secret").textContent = secret.match(/.{1,4}/g).join(" ");
    name.value = t("Authenticator app");
    input.value = "";
    clearError(input, codeAlert);
    form.hidden = false;
    add.hidden = true;
    input.focus();
  } catch (error) {
    fail(error);
  }
}

// The secret stands in this page alone, and goes with the form.
function close() {
  token = "";
  element("app-qr").replaceChildren();
  element("app-secret").textContent = "";
  form.hidden = true;
  add.hidden = false;
}

async function confirm() {
  const code = clean(input.value);
  clearError(input, codeAlert);
  if (!looksComplete(code)) return refuse(input, codeAlert, () => t("Enter the code that the app shows."));
  try {
    const made = await api.addApp(token, code, name.value);
    close();
    list.append(row(made));
    none.hidden = true;
    element("apps-title").focus();
    say(() => t("Authenticator app added: {name}.", { name: made.name }));
    changed();
  } catch (error) {
    if (error.code === "INVALID_OTP") {
      return refuse(input, codeAlert, () => t("That code is not right, or was used already. Wait for the next one."));
    }
    if (error.status === 401) return leave();
    complain(input, codeAlert, () => sentence(error));
  }
}

function fail(error) {
  if (error.status === 401 && error.code !== "INSUFFICIENT_USER_AUTHENTICATION") return leave();
  put(alert, () => sentence(error));
}

// One path for all dark modules: the page's policy lets in no image that is made elsewhere.
function draw(rows) {
  const size = rows.length + 2 * MARGIN;
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", t("QR code of the key below"));
  svg.setAttribute("shape-rendering", "crispEdges");
  path.setAttribute("d", rows.flatMap((line, y) => [...line].map((module, x) =>
    module === "1" ? `M${x + MARGIN} ${y + MARGIN}h1v1h-1z` : "")).join(""));
  svg.append(path);
  return svg;
}

function row(entry) {
  const item = document.createElement("li");
  const text = document.createElement("div");
  const title = document.createElement("p");
  const line = document.createElement("p");
  const used = document.createElement("time");
  const shown = document.createElement("bdi");
  const remove = document.createElement("button");
  title.className = "device";
  shown.textContent = entry.name;
  title.append(shown);
  put(line, () => {
    if (!entry.last_used_at) return t("Not used yet");
    used.dateTime = entry.last_used_at;
    used.textContent = dayAndTime(new Date(entry.last_used_at));
    return parts("Last used {time}", { time: used });
  });
  remove.type = "button";
  put(remove, () => {
    remove.setAttribute("aria-label", t("Remove: {name}", { name: entry.name }));
    return t("Remove");
  });
  remove.addEventListener("click", () => whileBusy(remove, () => end(entry, item)));
  text.append(title, line);
  item.append(text, remove);
  return item;
}

async function end(entry, item) {
  clear(alert);
  say();
  try {
    await api.removeApp(entry.id);
  } catch (error) {
    if (error.status !== 404) return fail(error); // Gone already is as good.
  }
  item.remove();
  none.hidden = list.children.length > 0;
  element("apps-title").focus();
  say(() => t("Authenticator app removed: {name}.", { name: entry.name }));
  changed();
}
