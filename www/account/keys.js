// API keys, with which programs of the owner ask for codes. Each is shown once, when it is made.

import { clearError, refuse, whileBusy } from "../js/form.js";
import { parts, t } from "../js/language.js";
import { clear, element, put, say } from "../js/views.js";
import { dayAndTime } from "../js/words.js";
import * as api from "./api.js";
import { isolated, make, time } from "./dom.js";
import * as door from "./door.js";
import { sure } from "./sure.js";

const form = element("keys-form");
const name = element("keys-name");
const alert = element("keys-error");
const list = element("keys");
const none = element("keys-none");
const shown = element("keys-shown");

export function prepare() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(element("keys-submit"), issue);
  });
}

export async function open() {
  clear(alert);
  shown.hidden = true;
  element("keys-key").textContent = "";
  try {
    fill((await api.keys()).api_keys);
  } catch (error) {
    door.tell(alert, error);
  }
}

function fill(keys) {
  list.replaceChildren(...keys.map(row));
  none.hidden = keys.length > 0;
}

async function issue() {
  clearError(name, alert);
  say();
  const scopes = ["verify", "verify:caller"].filter((scope) => element(`keys-${scope.replace(":", "-")}`).checked);
  if (!name.value.trim()) return refuse(name, alert, () => t("Give the key a name."));
  if (scopes.length === 0) return put(alert, () => t("Choose what the key is for."));
  try {
    const { key } = await api.makeKey({ name: name.value, scopes });
    name.value = "";
    fill((await api.keys()).api_keys);
    element("keys-key").textContent = key;
    shown.hidden = false;
    shown.focus();
  } catch (error) {
    door.tell(alert, error);
  }
}

function row(key) {
  const made = time(new Date(key.created_at), dayAndTime);
  return make("li", {},
    make("div", {},
      make("p", { class: "device" }, isolated(key.name)),
      make("p", {}, isolated(`otpg_${key.prefix}_…`)),
      make("p", {}, isolated(key.scopes.join(", "))),
      make("p", {}, () => parts("Made {time}", { time: made }))),
    sure(() => t("Revoke"), () => t("Programs that use this key are refused from now on."), () => revoke(key), { "aria-label": () => t("Revoke: {name}", { name: key.name }) }));
}

async function revoke(key) {
  clear(alert);
  say();
  try {
    await api.revokeKey(key.id);
    fill((await api.keys()).api_keys);
    element("keys-title").focus();
    say(() => t("The key is revoked: {name}.", { name: key.name }));
  } catch (error) {
    door.tell(alert, error);
  }
}
