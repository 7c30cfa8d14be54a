// The way from a page behind the sign-in to the sign-in and back: for who is not signed in, and for who must do it anew.

import { sentence } from "../js/errors.js";
import { t } from "../js/language.js";
import { put } from "../js/views.js";

// What another sign-in helps against.
const STALE = ["SIGN_IN_TOO_OLD", "INSUFFICIENT_USER_AUTHENTICATION"];

// `how`: "here", or "again" for who is signed in already. What the address says after its # comes back with the visitor.
function signInUrl(how) {
  const url = new URL("../", import.meta.url);
  url.search = new URLSearchParams({ sign_in: how, return_to: location.pathname + location.hash });
  return url.href;
}

export function toSignIn() {
  location.replace(signInUrl("here"));
}

export function isStale(error) {
  return STALE.includes(error.code);
}

// What went wrong, where it is to be read; with the way to the sign-in where that helps. Who is signed out is led there.
export function tell(alert, error) {
  if (error.status === 401 && !isStale(error) && error.code !== "INVALID_CREDENTIALS") return toSignIn();
  put(alert, () => isStale(error) ? [`${sentence(error)} `, link()] : sentence(error));
}

function link() {
  const result = document.createElement("a");
  result.href = signInUrl("again");
  result.textContent = t("Sign in again");
  return result;
}
