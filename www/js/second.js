// The second step: our code was right, and the account wants one of an authenticator app as well; or a recovery code in its
// place, which lets its owner in to add a new factor and no further.

import { clean, looksComplete } from "./code.js";
import { sentence } from "./errors.js";
import { clearError, complain, refuse, whileBusy } from "./form.js";
import { t } from "./language.js";
import * as session from "./session.js";
import { element, put, say, show } from "./views.js";
import { nameOfThisBrowser } from "./words.js";

const LENGTH = 6; // of every app's codes

const form = element("second-form");
const input = element("second-code");
const alert = element("second-error");
const submit = element("second-submit");
const recover = element("second-recover");

const wording = {
  totp: {
    title: () => t("Enter the code of your app"),
    hint: () => t("Open your authenticator app. It shows a code for this site."),
    label: () => t("Code of the app"),
    wrong: () => t("That code is not right, or was used already. Wait for the next one."),
    mode: "numeric",
  },
  recovery_code: {
    title: () => t("Enter a recovery code"),
    hint: () => t("One of those that you kept. It lets you add a new passkey or app, and nothing else until then."),
    label: () => t("Recovery code"),
    wrong: () => t("That code is not right, or was used already."),
    mode: "text",
  },
};

let token = "";
let way = "totp";

// `onSignedIn(answer)` runs after the right code of an app, `onRecovered(answer)` after a recovery code, and
// `onLeave(notice)` when another way in is wanted, or nothing else is left.
export function prepare(onSignedIn, onRecovered, onLeave) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(submit, () => verify(way === "totp" ? onSignedIn : onRecovered, onLeave));
  });
  input.addEventListener("input", () => {
    const isWhole = way === "totp" && clean(input.value).length === LENGTH && input.selectionStart === input.value.length;
    if (!isWhole) return;
    if (form.requestSubmit) form.requestSubmit();
    else submit.click(); // Safari before 16
  });
  recover.addEventListener("click", () => ask("recovery_code"));
  element("second-leave").addEventListener("click", () => leave(onLeave));
}

export function open(step) {
  token = step.token;
  say();
  ask(step.ways[0], step.ways.length > 1);
}

function ask(newWay, hasAnother = false) {
  way = newWay;
  const words = wording[way];
  recover.hidden = !hasAnother;
  input.value = "";
  input.inputMode = words.mode;
  clearError(input, alert);
  put(element("second-title"), words.title);
  put(element("second-hint"), words.hint);
  put(element("second-label"), words.label);
  show("second", words.title, input);
}

async function verify(onDone, onLeave) {
  const { wrong } = wording[way];
  const code = way === "totp" ? clean(input.value) : input.value.trim();
  clearError(input, alert);
  if (way === "totp" && !looksComplete(code)) return refuse(input, alert, () => t("Enter the code that the app shows."));
  if (!code) return refuse(input, alert, () => t("Enter a recovery code"));
  try {
    const signIn = way === "totp" ? session.signInBySecondStep : session.recover;
    const answer = await signIn(token, code, nameOfThisBrowser());
    token = input.value = "";
    onDone(answer);
  } catch (error) {
    if (error.code === "INVALID_OTP") return refuse(input, alert, wrong);
    if (error.code === "VALIDATION_ERROR") return leave(onLeave, () => t("That took too long. Please sign in again."));
    if (error.code === "MAX_RETRIES_EXCEEDED") return leave(onLeave, () => error.detail);
    complain(input, alert, () => sentence(error));
  }
}

function leave(onLeave, notice) {
  token = input.value = "";
  onLeave(notice);
}
