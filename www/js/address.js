// Step 1: the e-mail address.

import * as api from "./api.js";
import { notAnAddress, sentence } from "./errors.js";
import { clearError, complain, refuse, whileBusy } from "./form.js";
import { element, say, show } from "./views.js";

const input = element("address");
const alert = element("address-error");
const button = element("address-submit");

// `onSent(address, answer)` runs when a code is on its way.
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
  const address = input.value.trim();
  clearError(input, alert);
  say("");
  // Only what is certainly not an address; the server knows the rest.
  if (!address) return refuse(input, alert, "Enter your e-mail address.");
  if (!/^[^\s@]+@[^\s@]+$/.test(address)) return refuse(input, alert, notAnAddress);
  try {
    onSent(address, await api.requestCode(address));
  } catch (error) {
    (error.status === 400 ? refuse : complain)(input, alert, sentence(error));
  }
}
