// Where the visitor is signed in: the list, and the end of each session.

import * as api from "../js/api.js";
import { sentence } from "../js/errors.js";
import { whileBusy } from "../js/form.js";
import { parts, t } from "../js/language.js";
import { clear, element, put, say } from "../js/views.js";
import { dayAndTime, describeBrowser } from "../js/words.js";
import { isolated, make, time } from "./dom.js";

const list = element("sessions");
const alert = element("sessions-error");
const retry = element("sessions-retry");

let leave = () => {};

// `onSignedOut()` runs when the visitor turns out to be no longer signed in.
export function prepare(onSignedOut) {
  leave = onSignedOut;
  retry.addEventListener("click", () => whileBusy(retry, async () => {
    await open();
    if (retry.hidden) element("sessions-title").focus();
  }));
}

// Resolves to the session of this browser, and the others; null where they cannot be told.
export async function open() {
  clear(alert);
  list.setAttribute("aria-busy", "true");
  try {
    const { sessions } = await api.sessions();
    const newestFirst = (a, b) => b.current - a.current || Date.parse(b.last_seen_at) - Date.parse(a.last_seen_at);
    list.replaceChildren(...[...sessions].sort(newestFirst).map(row));
    retry.hidden = true;
    return { current: sessions.find((entry) => entry.current), others: sessions.filter((entry) => !entry.current) };
  } catch (error) {
    if (error.status === 401) leave();
    else put(alert, () => sentence(error));
    retry.hidden = false;
    return null;
  } finally {
    list.removeAttribute("aria-busy");
  }
}

// What this page told of a browser when it signed in is English; the header says the same.
export function nameOf({ device = {}, user_agent: header }) {
  const own = device.platform === "web" ? null : device.device_name;
  return own || describeBrowser(header ?? "") || device.device_name || t("Unknown browser");
}

function row(entry) {
  const seen = time(new Date(entry.last_seen_at ?? entry.created_at), dayAndTime);
  const item = make("li", {}, make("div", {},
    make("p", { class: "device" }, () => isolated(nameOf(entry))),
    make("p", {}, () => parts("Active {time}", { time: seen })),
    make("p", {}, isolated(entry.ip ?? ""))));
  item.append(entry.current ? make("span", { class: "badge" }, () => t("This browser")) : endButton(entry, item));
  return item;
}

function endButton(entry, item) {
  const name = () => t("End session: {device}, {address}", { device: nameOf(entry), address: entry.ip ?? t("unknown address") });
  const button = make("button", { type: "button", "aria-label": name }, () => t("End session"));
  button.addEventListener("click", () => whileBusy(button, () => end(entry, item)));
  return button;
}

async function end(entry, item) {
  clear(alert);
  say();
  try {
    await api.endSession(entry.id);
  } catch (error) {
    if (error.status === 401) return leave();
    if (error.status !== 404) { // Gone already is as good.
      put(alert, () => sentence(error));
      return;
    }
  }
  const next = item.nextElementSibling?.querySelector("button") ?? element("sessions-title");
  item.remove();
  next.focus();
  say(() => t("Session ended: {device}.", { device: nameOf(entry) }));
}
