// The second step: our code was right, and the account wants one of an authenticator app as well; or a recovery code in its
// place, which lets its owner in to add a new factor and no further. So far comes, too, who must have a factor and has none.

import { clean, looksComplete } from "./code.js";
import { sentence } from "./errors.js";
import { clearError, complain, refuse, whileBusy } from "./form.js";
import { t } from "./language.js";
import * as session from "./session.js";
import { trustedDays } from "./site.js";
import { element, put, say, show } from "./views.js";
import { nameOfThisBrowser, shortDuration } from "./words.js";

const LENGTH = 6; // of every app's codes

const form = element("second-form");
const input = element("second-code");
const alert = element("second-error");
const submit = element("second-submit");
const recover = element("second-recover");
const trust = element("second-trust");

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
let limited = () => {};
let leaveTo = () => {};

// `onSignedIn(answer)` runs after the right code of an app, `onLimited(answer)` where its visitor may add a factor and
// no more, and `onLeave(notice)` when another way in is wanted, or nothing else is left.
export function prepare(onSignedIn, onLimited, onLeave) {
  limited = onLimited;
  leaveTo = onLeave;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(submit, () => verify(way === "totp" ? onSignedIn : onLimited));
  });
  input.addEventListener("input", () => {
    const isWhole = way === "totp" && clean(input.value).length === LENGTH && input.selectionStart === input.value.length;
    if (!isWhole) return;
    if (form.requestSubmit) form.requestSubmit();
    else submit.click(); // Safari before 16
  });
  recover.addEventListener("click", () => ask("recovery_code"));
  element("second-leave").addEventListener("click", () => leave());
}

export function open(step) {
  token = step.token;
  say();
  if (step.ways[0] === "add_factor") return goAndAdd();
  ask(step.ways[0], step.ways.length > 1);
}

async function goAndAdd() {
  try {
    const answer = await session.signInToAddFactor(token, nameOfThisBrowser());
    token = "";
    limited(answer);
  } catch (error) {
    leave(() => sentence(error));
  }
}

function ask(newWay, hasAnother = false) {
  way = newWay;
  const words = wording[way];
  recover.hidden = !hasAnother;
  const days = way === "totp" ? trustedDays() : 0;
  element("second-trust-line").hidden = days === 0;
  trust.checked = false;
  put(element("second-trust-label"), () => t("Do not ask for this on this device for {time}", { time: shortDuration(days * 86_400) }));
  input.value = "";
  input.inputMode = words.mode;
  clearError(input, alert);
  put(element("second-title"), words.title);
  put(element("second-hint"), words.hint);
  put(element("second-label"), words.label);
  show("second", words.title, input);
}

async function verify(onDone) {
  const { wrong } = wording[way];
  const code = way === "totp" ? clean(input.value) : input.value.trim();
  clearError(input, alert);
  if (way === "totp" && !looksComplete(code)) return refuse(input, alert, () => t("Enter the code that the app shows."));
  if (!code) return refuse(input, alert, () => t("Enter a recovery code"));
  try {
    const name = nameOfThisBrowser();
    const answer = way === "totp" ? await session.signInBySecondStep(token, code, trust.checked, name) : await session.recover(token, code, name);
    token = input.value = "";
    onDone(answer);
  } catch (error) {
    if (error.code === "INVALID_OTP") return refuse(input, alert, wrong);
    if (error.code === "VALIDATION_ERROR") return leave(() => t("That took too long. Please sign in again."));
    if (error.code === "MAX_RETRIES_EXCEEDED") return leave(() => error.detail);
    complain(input, alert, () => sentence(error));
  }
}

function leave(notice) {
  token = input.value = "";
  leaveTo(notice);
}
