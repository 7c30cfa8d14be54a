// The password, for who has one or wants one: changed by the present one, or set by a code.

import { clearError, refuse, whileBusy } from "../js/form.js";
import { t } from "../js/language.js";
import { element, say } from "../js/views.js";
import * as api from "./api.js";
import * as codeForm from "./code_form.js";
import * as door from "./door.js";

const form = element("password-form");
const current = element("password-current");
const next = element("password-new");
const alert = element("password-error");
const another = element("reset-new");

let user = null;
let close = () => {};

export function prepare(signedIn) {
  user = signedIn;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(element("password-submit"), change);
  });
  close = codeForm.prepare("reset", () => api.requestReset(user.email ?? user.phone_number), reset);
}

export function changedUser(now) {
  user = now;
}

export function open() {
  close();
  clearError(current, alert);
  for (const input of [current, next, another]) input.value = "";
}

async function change() {
  clearError(current, alert);
  say();
  if (!current.value || !next.value) return refuse(current.value ? next : current, alert, () => t("Enter the present password and a new one."));
  try {
    await api.changePassword(current.value, next.value);
    current.value = next.value = "";
    element("password-title").focus();
    say(() => t("Your password is changed. All other sessions have ended."));
  } catch (error) {
    door.tell(alert, error);
  }
}

// It ends every session, this one too.
async function reset(id, code) {
  await api.resetPassword(id, code, another.value);
  door.toSignIn();
}
