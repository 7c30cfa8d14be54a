// Step 2: the code. One field, a way to get a new code, and a way back.

import * as api from "./api.js";
import { clean, findIn, looksComplete, maySendUnasked } from "./code.js";
import { ApiError, sentence } from "./errors.js";
import { clearError, complain, refuse, whileBusy } from "./form.js";
import * as pendingCode from "./pending.js";
import * as session from "./session.js";
import { element, focusHeading, putAddress, say, show } from "./views.js";
import { clockTime, describeBrowser, shortDuration } from "./words.js";

const form = element("code-form");
const input = element("code");
const alert = element("code-error");
const submit = element("code-submit");
const resend = element("resend");
const otherAddress = element("other-address");

const wording = {
  email: {
    title: "Check your inbox",
    other: "Use another address",
    note: "Nothing there after a minute? Look in the spam folder too.",
  },
  sms: {
    title: "Check your phone",
    other: "Use another number",
    note: "Nothing there after a minute? See whether the number above is yours.",
  },
};

let pending = null;
let refused = new Set(); // Codes the server has refused for this otp_id: in memory only, and never sent again.
let before = ""; // The field's text before the last input event.
let spent = false;
let ticker = 0;

// `onSignedIn(answer)` runs after the right code, `onLeave()` when the visitor wants another address.
export function prepare(onSignedIn, onLeave) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(submit, () => verify(onSignedIn));
  });
  input.addEventListener("paste", takePasted);
  input.addEventListener("input", takeFilledIn);
  resend.addEventListener("click", () => whileBusy(resend, sendAgain));
  otherAddress.addEventListener("click", () => {
    close();
    onLeave();
  });
}

export function open(newPending, notice = "") {
  use(newPending);
  say(notice);
  show("code", "Enter your code", spent ? undefined : input);
}

function use(newPending) {
  pending = newPending;
  refused = new Set();
  input.value = before = "";
  clearError(input, alert);
  setSpent(false);
  const words = wording[pending.channel] ?? wording.email;
  element("code-title").textContent = words.title;
  element("code-note").textContent = words.note;
  otherAddress.textContent = words.other;
  putAddress(element("code-destination"), pending.destination_masked);
  element("code-until").textContent = clockTime(pending.expires_at);
  element("code-until").dateTime = new Date(pending.expires_at).toISOString();
  clearInterval(ticker);
  ticker = setInterval(tick, 1000);
  tick();
}

// There is no code to wait for any more.
export function close() {
  clearInterval(ticker);
  pendingCode.end();
  pending = null;
  input.value = before = "";
}

async function verify(onSignedIn) {
  const asked = pending;
  const code = clean(input.value);
  clearError(input, alert);
  say("");
  if (!code) return refuse(input, alert, "Enter the code from the message.");
  if (!looksComplete(code)) return refuse(input, alert, "A code has 4 to 10 letters or digits and nothing else.");
  if (refused.has(code)) return refuse(input, alert, "You have tried this code already. Use the one in the newest message.");
  try {
    const answer = await session.signIn(asked.otp_id, code, describeBrowser(navigator.userAgent) ?? undefined);
    close();
    onSignedIn(answer);
  } catch (error) {
    if (asked !== pending) return; // A new code or another address was asked for meanwhile.
    if (error.code === "INVALID_OTP") refused.add(code);
    if (error.endsTheCode) return spend(error);
    (error.status === 400 ? refuse : complain)(input, alert, sentence(error));
  }
}

async function sendAgain() {
  const asked = pending;
  say("");
  try {
    const answer = await api.requestCode(asked.destination);
    if (asked !== pending) return;
    // The button goes to sleep now: the focus must not sleep with it.
    use(pendingCode.begin(asked.destination, answer));
    input.focus();
    say(`A new code is on its way to ${pending.destination_masked}.`);
  } catch (error) {
    if (asked !== pending) return;
    if (error.retryAfter > 0) postpone(error.retryAfter);
    alert.textContent = sentence(error);
  }
}

// The code is of no more use: the field goes, and a new code becomes the thing to do.
function spend(error) {
  if (error.retryAfter > 0) postpone(error.retryAfter);
  alert.textContent = sentence(error);
  setSpent(true);
}

// The focus of a field that goes moves to the heading, not to a button: the visitor may be about to press Enter.
function setSpent(value) {
  if (value && form.contains(document.activeElement)) focusHeading("code");
  spent = value;
  element("code-field").hidden = submit.hidden = element("code-until-line").hidden = value;
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
  resend.textContent = wait > 0 ? `Send a new code in ${shortDuration(wait)}` : "Send a new code";
  const judging = submit.getAttribute("aria-busy") === "true"; // Then the server says how it ended.
  if (!spent && !judging && Date.now() >= pending.expires_at) spend(new ApiError("OTP_EXPIRED"));
}

function takePasted(event) {
  const code = findIn(event.clipboardData?.getData("text") ?? "");
  if (!code) return; // Not a code: the browser pastes it as it is.
  event.preventDefault();
  input.value = before = code;
  sendUnasked(code);
}

// A code that appears at once in an empty field was filled in by the phone or the password manager.
function takeFilledIn() {
  const code = clean(input.value);
  const atOnce = before === "";
  before = input.value;
  if (atOnce) sendUnasked(code);
}

function sendUnasked(code) {
  if (maySendUnasked(code) && !refused.has(code)) form.requestSubmit();
}
