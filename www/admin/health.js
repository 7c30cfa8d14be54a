// Whether all is well: what the service checks of itself, what the doctor says of the rest, and whether messages go out.

import { isolated, make, time } from "../account/dom.js";
import * as door from "../account/door.js";
import { clearError, whileBusy } from "../js/form.js";
import { parts, t } from "../js/language.js";
import { clear, element, put } from "../js/views.js";
import { dayAndTime } from "../js/words.js";
import * as api from "./api.js";

const DAY_MS = 86_400_000;

const alert = element("health-error");
const list = element("health");
const verdict = element("health-well");
const recipient = element("health-recipient");
const formAlert = element("health-form-error");
const told = element("health-told");

const levels = {
  wrong: () => t("wrong"),
  doubtful: () => t("doubtful"),
  good: () => t("well"),
};
const states = {
  next: () => t("signs soon"),
  current: () => t("signs now"),
  former: () => t("verifies what it has signed"),
};

// `ownAddress`: of the administrator, where a test may go.
export function prepare(ownAddress) {
  recipient.value = ownAddress;
  element("health-form").addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(element("health-submit"), sendTest);
  });
}

export async function open() {
  clear(alert);
  told.hidden = true;
  try {
    fill(await api.health());
    const { well, findings } = await api.findings();
    put(verdict, () => well ? t("Nothing is wrong.") : t("Something is wrong."));
    list.replaceChildren(...Object.keys(levels).flatMap((level) => findings.filter((each) => each.level === level)).map(findingRow));
  } catch (error) {
    clear(verdict);
    door.tell(alert, error);
  } finally {
    list.removeAttribute("aria-busy");
  }
}

// What is known at once; the doctor asks the mail servers, too.
function fill({ checks, messages, signing_keys: keys }) {
  list.setAttribute("aria-busy", "true");
  list.replaceChildren(...checks.map(checkRow));
  put(verdict, () => t("Looking at the rest."));
  put(element("health-messages"), () => t("Messages: {waiting} wait, {dead} were given up.", messages));
  const { oldest_since: since } = messages;
  const oldest = since && time(new Date(since), dayAndTime);
  if (oldest) put(element("health-oldest"), () => parts("The oldest has waited since {time}.", { time: oldest }));
  else clear(element("health-oldest"));
  element("health-keys").replaceChildren(...keys.map(keyRow));
}

// The words of the service itself, which are English.
function said(text) {
  return make("bdi", { lang: "en" }, text);
}

function checkRow({ name, fault, detail }) {
  return make("li", {},
    make("div", {},
      make("p", { class: "device" }, said(name)),
      ...[fault, detail].filter(Boolean).map((text) => make("p", {}, said(text)))),
    make("span", { class: fault ? "badge bad" : "badge" }, () => fault ? t("broken") : t("well")));
}

function findingRow({ check, level, what, why, todo }) {
  return make("li", {},
    make("div", {},
      make("p", { class: "device" }, said(check)),
      make("p", {}, said(what)),
      why && make("p", {}, () => parts("Why it matters: {why}", { why: said(why) })),
      todo && make("p", {}, () => parts("What to do: {todo}", { todo: said(todo) }))),
    make("span", { class: level === "wrong" ? "badge bad" : "badge" }, levels[level]));
}

function keyRow({ kid, alg, signs_from: from, state }) {
  const since = time(new Date(from), dayAndTime);
  const days = Math.max(0, Math.floor((Date.now() - Date.parse(from)) / DAY_MS));
  return make("li", {},
    make("div", {},
      make("p", { class: "device" }, isolated(kid)),
      make("p", {}, isolated(alg)),
      make("p", {}, () => parts("Signs from {time}", { time: since })),
      make("p", {}, () => t("Age in days: {days}", { days }))),
    make("span", { class: "badge" }, states[state]));
}

async function sendTest() {
  clearError(recipient, formAlert);
  told.hidden = true;
  try {
    const { sent, said: lines } = await api.sendTest(recipient.value.trim());
    put(element("health-sent"), () => sent ? t("It was taken. See that it arrives.") : t("It was not taken."));
    element("health-said").textContent = lines.join("\n");
    told.hidden = false;
    told.focus();
  } catch (error) {
    door.tell(formAlert, error);
  }
}
