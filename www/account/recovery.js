// The visitor's recovery codes: how many are left, and making new ones, of which one is typed back.

import * as api from "../js/api.js";
import { sentence } from "../js/errors.js";
import { clearError, complain, refuse, whileBusy } from "../js/form.js";
import { t } from "../js/language.js";
import { clear, element, put, say } from "../js/views.js";
import * as door from "./door.js";

const section = element("recovery-section");
const alert = element("recovery-error");
const left = element("recovery-left");
const make = element("recovery-make");
const form = element("recovery-form");
const codes = element("recovery-codes");
const input = element("recovery-code");
const codeAlert = element("recovery-code-error");

const FEW = 3;

export function prepare() {
  make.addEventListener("click", () => whileBusy(make, begin));
  element("recovery-cancel").addEventListener("click", () => {
    close();
    make.focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(element("recovery-confirm"), confirm);
  });
}

export async function open() {
  clear(alert);
  close();
  section.hidden = true;
  try {
    const { left: count } = await api.recovery();
    section.hidden = false;
    put(left, () => count <= FEW ? t("You have {count} left: make new ones.", { count }) : t("You have {count} left.", { count }));
  } catch (error) {
    section.hidden = false;
    door.tell(alert, error);
  }
}

async function begin() {
  clear(alert);
  say();
  try {
    const made = await api.makeRecoveryCodes();
    codes.replaceChildren(...made.codes.map((code) => {
      const item = document.createElement("li");
      item.textContent = code;
      return item;
    }));
    input.value = "";
    clearError(input, codeAlert);
    form.hidden = false;
    make.hidden = true;
    element("recovery-title").focus();
  } catch (error) {
    door.tell(alert, error);
  }
}

// They stand in this page alone, and go with the form.
function close() {
  codes.replaceChildren();
  form.hidden = true;
  make.hidden = false;
}

async function confirm() {
  const code = input.value.trim();
  clearError(input, codeAlert);
  if (!code) return refuse(input, codeAlert, () => t("Enter a recovery code"));
  try {
    const count = codes.children.length;
    await api.confirmRecoveryCodes(code);
    close();
    put(left, () => t("You have {count} left.", { count }));
    element("recovery-title").focus();
    say(() => t("The recovery codes are ready."));
  } catch (error) {
    if (error.code === "INVALID_OTP") return refuse(input, codeAlert, () => t("That is none of these codes."));
    complain(input, codeAlert, () => sentence(error));
  }
}
