// Step 1: the e-mail address or the telephone number.

import * as api from "./api.js";
import { noCountryCode, notAnAddress, sentence } from "./errors.js";
import { clearError, complain, refuse, whileBusy } from "./form.js";
import { plain, withoutSpacesAndDashes } from "./typed.js";
import { element, say, show } from "./views.js";

const input = element("address");
const alert = element("address-error");
const button = element("address-submit");

// `onSent(destination, answer)` runs when a code is on its way.
export function prepare(onSent) {
  element("address-form").addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(button, () => send(onSent));
  });
}

export function open(notice = "") {
  clearError(input, alert);
  say(notice);
  show("address", "Sign in", input);
  input.select();
}

async function send(onSent) {
  const destination = normalise(input.value);
  clearError(input, alert);
  say("");
  if (!destination) return refuse(input, alert, "Enter your e-mail address or telephone number.");
  // Only what is certainly neither; the server knows the rest.
  if (/^\d{4,}$/.test(destination)) return refuse(input, alert, noCountryCode);
  if (!/^(\+[1-9]\d{1,14}|("[^"]+"|[^\s@]+)@[^\s@]+)$/.test(destination)) return refuse(input, alert, notAnAddress);
  try {
    onSent(destination, await api.requestCode(destination));
  } catch (error) {
    (error.status === 400 ? refuse : complain)(input, alert, sentence(error));
  }
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
