// Step 2: the code. One field, a way to get a new code, and a way back.

import * as api from "./api.js";
import { clean, findIn, looksComplete, maySendUnasked } from "./code.js";
import { ApiError, sentence } from "./errors.js";
import { clearError, complain, isBusy, refuse, whileBusy } from "./form.js";
import { parts, t } from "./language.js";
import * as pendingCode from "./pending.js";
import * as session from "./session.js";
import { codeShape } from "./site.js";
import { element, focusHeading, put, putAddress, say, show } from "./views.js";
import { clockTime, nameOfThisBrowser, shortDuration } from "./words.js";

const form = element("code-form");
const input = element("code");
const alert = element("code-error");
const submit = element("code-submit");
const resend = element("resend");
const otherAddress = element("other-address");
const destination = element("code-destination");
const until = element("code-until");

const wording = {
  email: {
    title: () => t("Check your inbox"),
    other: () => t("Use another address"),
    note: () => t("Nothing there after a minute? Look in the spam folder too."),
  },
  sms: {
    title: () => t("Check your phone"),
    other: () => t("Use another number"),
    note: () => t("Nothing there after a minute? See whether the number above is yours."),
  },
};

// The message has a link alone: there is nothing to type.
const isLink = () => pending.means === "link";

let pending = null;
let refused = new Set(); // Codes the server has refused for this code's request: in memory only, and never sent again.
let before = ""; // The field's text before the last input event.
let spent = false;
let ticker = 0;
let listening = null; // for an SMS

// `onSignedIn(answer)` runs after the right code, `onSecondStep(step)` where the account wants one of an app as well, and
// `onLeave(destination, notice)` when the visitor wants another address, or another way in.
export function prepare(onSignedIn, onSecondStep, onLeave) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(submit, () => verify(onSignedIn, onSecondStep, onLeave));
  });
  input.addEventListener("paste", takePasted);
  input.addEventListener("input", takeTyped);
  input.addEventListener("compositionend", takeTyped); // Of those who write by choosing from a list.
  resend.addEventListener("click", () => whileBusy(resend, sendAgain));
  otherAddress.addEventListener("click", () => {
    const left = pending.destination;
    close();
    onLeave(left);
  });
}

export function open(newPending, notice) {
  use(newPending);
  say(notice);
  const byLink = isLink();
  show("code", () => byLink ? t("Check your inbox") : t("Enter your code"), spent || byLink ? undefined : input);
}

// The code that is waited for, or null.
export function awaited() {
  return pending;
}

function use(newPending) {
  pending = newPending;
  const { otp_id: known, expires_at: end } = pending; // for texts that outlive it
  const byLink = isLink();
  refused = new Set();
  input.value = before = "";
  input.inputMode = (codeShape()?.alphabet ?? "digits") === "digits" ? "numeric" : "text";
  clearError(input, alert);
  setSpent(false);
  const words = wording[pending.channel] ?? wording.email;
  put(element("code-title"), known ? words.title : () => t("Enter your code"));
  put(element("code-note"), words.note);
  put(otherAddress, words.other);
  putAddress(destination, pending.destination);
  put(element("code-sent"), () => parts(
    known ? "We sent a code to {address}." : "Enter the code that we sent to {address}.", { address: destination }));
  if (byLink) {
    put(element("code-sent"), () => parts("We sent a link to {address}. Open it in this browser.", { address: destination }));
  }
  if (end) {
    until.dateTime = new Date(end).toISOString();
    put(element("code-until-line"), () => {
      until.textContent = clockTime(end);
      return parts("It works until {time}.", { time: until });
    });
  }
  clearInterval(ticker);
  ticker = setInterval(tick, 1000);
  tick();
  listenForSms();
}

// There is no code to wait for any more.
export function close() {
  pause();
  pendingCode.end();
  pending = null;
}

// The visitor looks at something else; the code is as good as before.
export function pause() {
  clearInterval(ticker);
  listening?.abort();
  input.value = before = "";
}

async function verify(onSignedIn, onSecondStep, onLeave) {
  const asked = pending;
  const code = clean(input.value);
  clearError(input, alert);
  say();
  if (!code) return refuse(input, alert, () => t("Enter the code from the message."));
  if (!looksComplete(code)) return refuse(input, alert, () => t("A code has 4 to 10 letters or digits and nothing else."));
  if (refused.has(code)) {
    return refuse(input, alert, () => t("You have tried this code already. Use the one in the newest message."));
  }
  try {
    const answer = await session.signIn(asked, code, nameOfThisBrowser());
    close();
    onSignedIn(answer);
  } catch (error) {
    if (asked !== pending) return; // A new code or another address was asked for meanwhile.
    if (error.code === "INVALID_OTP") refused.add(code);
    if (error.code === "INSUFFICIENT_USER_AUTHENTICATION") {
      close();
      return error.secondStep ? onSecondStep(error.secondStep) : onLeave(asked.destination, () => sentence(error));
    }
    if (error.endsTheCode) return spend(error);
    (error.status === 400 ? refuse : complain)(input, alert, () => sentence(error));
  }
}

async function sendAgain() {
  const asked = pending;
  say();
  try {
    const answer = await api.requestCode(asked.destination);
    if (asked !== pending) return;
    // The button goes to sleep now: the focus must not sleep with it.
    use(pendingCode.begin(asked.destination, answer));
    const byLink = isLink();
    if (byLink) focusHeading("code");
    else input.focus();
    say(() => byLink
      ? t("A new link is on its way to {address}.", { address: asked.destination })
      : t("A new code is on its way to {address}.", { address: asked.destination }));
  } catch (error) {
    if (asked !== pending) return;
    if (error.retryAfter > 0) postpone(error.retryAfter);
    put(alert, () => sentence(error));
  }
}

// The code is of no more use: the field goes, and a new code becomes the thing to do.
function spend(error) {
  if (error.retryAfter > 0) postpone(error.retryAfter);
  const isOld = error.code === "OTP_EXPIRED" && isLink();
  put(alert, () => isOld ? t("This link has expired. Ask for a new one.") : sentence(error));
  setSpent(true);
}

// The focus of a field that goes moves to the heading, not to a button: the visitor may be about to press Enter.
function setSpent(value) {
  if (value && form.contains(document.activeElement)) focusHeading("code");
  spent = value;
  element("code-field").hidden = submit.hidden = value || isLink();
  element("code-until-line").hidden = value || !pending.expires_at;
  resend.classList.toggle("primary", value);
}

function postpone(seconds) {
  pendingCode.postponeResend(pending, seconds);
  if (document.activeElement === resend) focusHeading("code");
  tick();
}

// Once a second: the countdown of the resend button, and the end of the code.
function tick() {
  const wait = (pending.resend_at - Date.now()) / 1000;
  resend.disabled = wait > 0;
  const byLink = isLink();
  put(resend, wait > 0
    ? () => byLink ? t("Send a new link in {time}", { time: shortDuration(wait) }) : t("Send a new code in {time}", { time: shortDuration(wait) })
    : () => byLink ? t("Send a new link") : t("Send a new code"));
  // While a code is judged the server says how it ended.
  if (!spent && !isBusy(submit) && pending.expires_at && Date.now() >= pending.expires_at) spend(new ApiError("OTP_EXPIRED"));
}

function takePasted(event) {
  const code = findIn(event.clipboardData?.getData("text") ?? "", codeShape());
  if (!code) return; // Not a code: the browser pastes it as it is.
  event.preventDefault();
  input.value = before = code;
  sendUnasked(code);
}

// A code that appears at once in an empty field was filled in by the phone or the password manager; one that is typed is
// whole with its last character. Who corrects one in the middle says himself when he is done.
function takeTyped(event) {
  if (event.isComposing) return;
  const code = clean(input.value);
  const atOnce = before === "" && code.length > 1;
  const atTheEnd = codeShape() && input.value.length > before.length && input.selectionStart === input.value.length;
  before = input.value;
  if (atOnce || atTheEnd) sendUnasked(code);
}

function sendUnasked(code) {
  if (!maySendUnasked(code, codeShape()) || refused.has(code)) return;
  if (form.requestSubmit) form.requestSubmit();
  else submit.click(); // Safari before 16
}

// WebOTP: the browser offers the code of the SMS whose last line names this site.
async function listenForSms() {
  listening?.abort();
  if (pending.channel !== "sms" || !("OTPCredential" in window)) return;
  const abort = listening = new AbortController();
  try {
    const { code } = await navigator.credentials.get({ otp: { transport: ["sms"] }, signal: abort.signal });
    if (abort.signal.aborted || spent) return;
    input.value = before = code;
    sendUnasked(clean(code));
  } catch {
    // Refused, timed out or left: the field is there to type in.
  }
}
