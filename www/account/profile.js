// Who the owner is: names, and the user name, which is chosen once.

import { whileBusy } from "../js/form.js";
import { t } from "../js/language.js";
import { clear, element, put, say } from "../js/views.js";
import * as api from "./api.js";
import { isolated, make } from "./dom.js";
import * as door from "./door.js";

const NAMES = { "profile-display": "display_name", "profile-first": "first_name", "profile-last": "last_name" };

const form = element("profile-form");
const alert = element("profile-error");
const username = element("profile-username");

let user = null;

export function prepare(signedIn) {
  user = signedIn;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(element("profile-save"), save);
  });
  fill();
}

export function open() {
  clear(alert);
}

function fill() {
  for (const [id, field] of Object.entries(NAMES)) element(id).value = user[field] ?? "";
  // Until one is chosen the address stands in its place.
  const isChosen = ![user.email, user.phone_number, "", null].includes(user.username);
  username.value = isChosen ? user.username : "";
  username.readOnly = isChosen;
  put(element("profile-username-hint"), () => isChosen
    ? t("It was chosen, and is for good. An administrator can change it.")
    : t("Small letters, digits, dot, hyphen. It is chosen once and for good."));
  element("profile-groups").hidden = !user.groups?.length;
  if (user.groups) {
    element("profile-groups").replaceChildren(make("dt", {}, () => t("Groups")), make("dd", {}, isolated(user.groups.join(", "))));
  }
}

// What was not touched is not sent.
async function save() {
  clear(alert);
  say();
  const fields = {};
  for (const [id, field] of Object.entries(NAMES)) {
    if (element(id).value !== (user[field] ?? "")) fields[field] = element(id).value;
  }
  if (!username.readOnly && username.value.trim()) fields.username = username.value.trim();
  try {
    ({ user } = await api.updateProfile(fields));
    fill();
    element("profile-title").focus();
    say(() => t("The profile is saved."));
  } catch (error) {
    door.tell(alert, error);
  }
}
