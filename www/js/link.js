// A sign-in link of a message, opened here. What opens links by itself, as mail scanners do, gets this view and changes
// nothing: the button posts the secret. It stands in the address behind the #, which no server is sent.

import { sentence } from "./errors.js";
import { clearError, complain, refuse, whileBusy } from "./form.js";
import { t } from "./language.js";
import * as session from "./session.js";
import { clear, element, focusHeading, put, say, show } from "./views.js";
import { nameOfThisBrowser } from "./words.js";

const MARK = "#link=";

const submit = element("link-submit");
const alert = element("link-error");
const elsewhere = element("link-elsewhere");
const form = element("link-form");
const input = element("link-address");
const addressAlert = element("link-address-error");
const another = element("link-new");

const ends = {
  INVALID_OTP: () => t("This link is not valid. Ask for a new one."),
  OTP_USED: () => t("This link was already used. Ask for a new one."),
  INSUFFICIENT_USER_AUTHENTICATION: () => null, // The server's sentence: it takes a passkey.
  OTP_EXPIRED: () => t("This link has expired. Ask for a new one."),
};

let secret = "";
let goOn = () => {};

// `onSignedIn(answer)` runs after the press in the browser that asked, `onSecondStep(step)` where the account wants the
// code of an app as well, `onNew()` when the visitor wants a new link.
export function prepare(onSignedIn, onSecondStep, onNew) {
  goOn = onSecondStep;
  submit.addEventListener("click", () => whileBusy(submit, () => signIn(onSignedIn)));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(element("link-here"), () => signInHere(onSignedIn));
  });
  another.addEventListener("click", () => {
    leave();
    onNew();
  });
}

// Whether this page was opened by a link, which is on the screen then.
export function open() {
  if (!location.hash.startsWith(MARK)) return false;
  secret = location.hash.slice(MARK.length);
  clear(alert);
  input.value = "";
  clearError(input, addressAlert);
  say();
  elsewhere.hidden = true;
  setSpent(false);
  show("link", () => t("Sign in"));
  return true;
}

async function signIn(onSignedIn) {
  clear(alert);
  try {
    done(await session.signInByLink({ link: secret }, nameOfThisBrowser()), onSignedIn);
  } catch (error) {
    if (error.code === "OTHER_BROWSER") return showCode(error);
    fail(error);
  }
}

async function signInHere(onSignedIn) {
  const destination = input.value.trim();
  clearError(input, addressAlert);
  if (!destination) return refuse(input, addressAlert, () => t("Enter the address that the message went to."));
  try {
    done(await session.signInByLink({ link: secret, destination }, nameOfThisBrowser()), onSignedIn);
  } catch (error) {
    if (error.code === "INVALID_OTP") return refuse(input, addressAlert, () => t("The link was not sent to this address."));
    if (ends[error.code]) return fail(error);
    (error.status === 400 ? refuse : complain)(input, addressAlert, () => sentence(error));
  }
}

// Somebody else may have sent his own link, to sign the visitor in as himself; so here it takes more than a press.
function showCode({ otp }) {
  elsewhere.hidden = false;
  submit.hidden = element("link-lead").hidden = true;
  element("link-code-part").hidden = !otp;
  element("link-code").textContent = otp ?? "";
  say(() => t("This is not the browser in which you asked for the link."));
  focusHeading("link");
}

function fail(error) {
  if (error.secondStep) {
    leave();
    return goOn(error.secondStep);
  }
  const end = ends[error.code];
  put(alert, () => end?.() ?? sentence(error));
  if (!end) return;
  setSpent(true);
  focusHeading("link");
}

function setSpent(value) {
  submit.hidden = element("link-lead").hidden = value;
  if (value) elsewhere.hidden = true;
  another.classList.toggle("primary", value);
  another.classList.toggle("link", !value);
}

function done(answer, onSignedIn) {
  leave();
  onSignedIn(answer);
}

// A spent secret needs not stay in the browser's history.
function leave() {
  secret = "";
  say();
  history.replaceState(null, "", location.pathname + location.search);
}
