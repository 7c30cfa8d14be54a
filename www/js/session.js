// The session of this browser, and the news of it for other tabs. It is a cookie that no script can read, so only the
// server knows whether there is one.

import * as api from "./api.js";
import { ApiError } from "./errors.js";
import { signsInFor } from "./site.js";

const tabs = "BroadcastChannel" in globalThis ? new BroadcastChannel("otpgate.session") : null;

let isLimited = false;
let dueAt = null;

// Who is signed in; null without a cookie, or with one that is no longer good, or good for adding a factor alone.
export async function user() {
  isLimited = false;
  try {
    const answer = await api.me();
    dueAt = answer.factor_due_at ?? null;
    return answer.user;
  } catch (error) {
    if (error.status !== 401) throw error;
    isLimited = error.may === "add_factor";
    return null;
  }
}

// As of the last user(): whether the cookie is good for adding a factor, and until when that can be put off, or null.
export function mayOnlyAddFactor() {
  return isLimited;
}

export function factorDueAt() {
  return dueAt;
}

// A device that is trusted does not stand for the second step where that is what the visitor signs in for.
function secondStep() {
  return api.wantedMore() || ["again", "passkey"].includes(signsInFor()) ? "always" : undefined;
}

// Rejects with COOKIE_LOST where the code was right but the browser did not keep the cookie.
export async function signIn(pending, code, deviceName) {
  return begun(await api.verifyCode(pending, code, secondStep(), deviceName));
}

// The same by a link, {link, destination}.
export async function signInByLink(opened, deviceName) {
  return begun(await api.verifyLink(opened, secondStep(), deviceName));
}

export async function signInByPasskey(credential, deviceName) {
  return begun(await api.verifyPasskey(credential, deviceName));
}

// `trustDevice`: it is not to be asked for a code of an app again for a while.
export async function signInBySecondStep(token, otp, trustDevice, deviceName) {
  return begun(await api.verifySecondStep(token, { otp, trust_device: trustDevice }, deviceName));
}

// A session that may only add a factor, by a recovery code or where there is none yet: it is nobody's to other tabs.
export function recover(token, code, deviceName) {
  return api.verifySecondStep(token, { recovery_code: code }, deviceName);
}

export function signInToAddFactor(token, deviceName) {
  return api.verifySecondStep(token, { add_factor: true }, deviceName);
}

async function begun(answer) {
  // Whoever cannot be asked now is asked again by the next step.
  if (!await user().catch(() => answer.user)) throw new ApiError("COOKIE_LOST");
  tabs?.postMessage("changed");
  return answer;
}

// Rejects where the server could not be told: then the visitor is still signed in.
export async function signOut() {
  try {
    await api.logout();
  } catch (error) {
    if (error.status !== 401) throw error; // Over already is as good.
  }
  tabs?.postMessage("changed");
}

// `callback` runs when somebody signed in or out in another tab.
export function onChange(callback) {
  tabs?.addEventListener("message", callback);
}
