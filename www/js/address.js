// Step 1: the e-mail address or the telephone number.

import * as api from "./api.js";
import { noCountryCode, notAnAddress, nothingEntered, sentence } from "./errors.js";
import { clearError, complain, refuse, whileBusy } from "./form.js";
import { t } from "./language.js";
import * as passkey from "./passkey.js";
import * as session from "./session.js";
import { hasSms } from "./site.js";
import { plain, withoutSpacesAndDashes } from "./typed.js";
import { element, isShown, say, show } from "./views.js";
import { nameOfThisBrowser } from "./words.js";

const input = element("address");
const alert = element("address-error");
const button = element("address-submit");
const withPasskey = element("use-passkey");

let enter = () => {};

// `onSent(destination, answer)` runs when a code is on its way, `onHasCode(destination)` when the visitor has one already,
// `onSignedIn(answer)` when a passkey has done without.
export function prepare(onSent, onHasCode, onSignedIn) {
  enter = onSignedIn;
  withPasskey.addEventListener("click", () => whileBusy(withPasskey, () => signIn(passkey.ask)));
  element("address-form").addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(button, () => send(onSent));
  });
  element("have-code").addEventListener("click", () => {
    const destination = readAddress();
    if (destination) onHasCode(destination);
  });
}

// `typed` is the address that was typed before, to be corrected.
export function open(notice, typed) {
  if (typed) input.value = typed;
  clearError(input, alert);
  say(notice);
  withPasskey.hidden = !passkey.isPossible();
  show("address", () => t("Sign in"), input);
  input.select();
  offerPasskeys();
}

export function isEmpty() {
  return input.value === "";
}

function offerPasskeys() {
  passkey.offer((credential) => {
    if (isShown("address")) signIn(async () => credential);
  });
}

// Where it comes to nothing, the address can be typed as ever: the sentence says so, and the field is above it.
async function signIn(chosen) {
  clearError(input, alert);
  say();
  let credential;
  try {
    credential = await chosen();
    enter(await session.signInByPasskey(credential, nameOfThisBrowser()));
  } catch (error) {
    if (error.status === 404 && credential) passkey.disown(credential);
    complain(input, alert, () => `${sentence(error)} ${t("You can have a code sent instead.")}`);
    offerPasskeys();
  }
}

async function send(onSent) {
  const destination = readAddress();
  if (!destination) return;
  try {
    onSent(destination, await api.requestCode(destination));
  } catch (error) {
    // A limit is on sending: what was sent before is as good as ever.
    const text = error.code === "RATE_LIMIT"
      ? () => `${sentence(error)} ${t("If you have a code already, you can still use it.")}`
      : () => sentence(error);
    (error.status === 400 ? refuse : complain)(input, alert, text);
  }
}

// Null where the visitor has been told what is wrong with it.
function readAddress() {
  const destination = normalise(input.value);
  clearError(input, alert);
  say();
  // Only what is certainly neither; the server knows the rest.
  const complaint = !destination ? () => nothingEntered(hasSms())
    : /^\d{4,}$/.test(destination) && hasSms() ? noCountryCode
      : !/^(\+[1-9]\d{1,14}|("[^"]+"|[^\s@]+)@[^\s@]+)$/.test(destination) ? () => notAnAddress(hasSms()) : null;
  if (!complaint) return destination;
  refuse(input, alert, complaint);
  return null;
}

// "tel:+49 (0)30 123-456" becomes "+4930123456", "Ann <ann@example.com>" the address; what looks like neither stays as it
// is.
function normalise(text) {
  const typed = plain(text);
  const number = withoutSpacesAndDashes(typed.replace(/^\W*tel:/iu, "")).replace(/\(0\)/, "").replace(/[()[\]<>./]/g, "");
  if (/^\+?\d+$/.test(number)) return number;
  const address = typed.match(/<\s*(?:mailto:)?([^\s<>]+@[^\s<>]+)\s*>$/i)?.[1] ?? typed.replace(/^mailto:/i, "");
  return address.replace(/^[\s<([]+|[\s>)\].,;:]+$/g, "");
}
