// The second step: our code was right, and the account wants one of an authenticator app as well.

import { clean, looksComplete } from "./code.js";
import { sentence } from "./errors.js";
import { clearError, complain, refuse, whileBusy } from "./form.js";
import { t } from "./language.js";
import * as session from "./session.js";
import { element, say, show } from "./views.js";
import { nameOfThisBrowser } from "./words.js";

const LENGTH = 6; // of every app's codes

const form = element("second-form");
const input = element("second-code");
const alert = element("second-error");
const submit = element("second-submit");

let token = "";

// `onSignedIn(answer)` runs after the right code, `onLeave(notice)` when another way in is wanted, or nothing else is left.
export function prepare(onSignedIn, onLeave) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(submit, () => verify(onSignedIn, onLeave));
  });
  input.addEventListener("input", () => {
    if (clean(input.value).length === LENGTH && input.selectionStart === input.value.length) form.requestSubmit?.();
  });
  element("second-leave").addEventListener("click", () => leave(onLeave));
}

export function open(newToken) {
  token = newToken;
  input.value = "";
  clearError(input, alert);
  say();
  show("second", () => t("Enter the code of your app"), input);
}

async function verify(onSignedIn, onLeave) {
  const code = clean(input.value);
  clearError(input, alert);
  if (!looksComplete(code)) return refuse(input, alert, () => t("Enter the code that the app shows."));
  try {
    const answer = await session.signInBySecondStep(token, code, nameOfThisBrowser());
    token = input.value = "";
    onSignedIn(answer);
  } catch (error) {
    if (error.code === "INVALID_OTP") {
      return refuse(input, alert, () => t("That code is not right, or was used already. Wait for the next one."));
    }
    if (error.code === "VALIDATION_ERROR") return leave(onLeave, () => t("That took too long. Please sign in again."));
    if (error.code === "MAX_RETRIES_EXCEEDED") return leave(onLeave, () => error.detail);
    complain(input, alert, () => sentence(error));
  }
}

function leave(onLeave, notice) {
  token = input.value = "";
  onLeave(notice);
}
