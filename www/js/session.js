// The session of this browser, and the news of it for other tabs. It is a cookie that no script can read, so only the
// server knows whether there is one.

import * as api from "./api.js";
import { ApiError } from "./errors.js";

const tabs = "BroadcastChannel" in globalThis ? new BroadcastChannel("otpgate.session") : null;

// Who is signed in; null without a cookie, or with one that is no longer good.
export async function user() {
  try {
    return (await api.me()).user;
  } catch (error) {
    if (error.status === 401) return null;
    throw error;
  }
}

// Rejects with COOKIE_LOST where the code was right but the browser did not keep the cookie.
export async function signIn(pending, code, deviceName) {
  return begun(await api.verifyCode(pending, code, deviceName));
}

// The same by a link, {link, destination}.
export async function signInByLink(opened, deviceName) {
  return begun(await api.verifyLink(opened, deviceName));
}

export async function signInByPasskey(credential, deviceName) {
  return begun(await api.verifyPasskey(credential, deviceName));
}

export async function signInBySecondStep(token, otp, deviceName) {
  return begun(await api.verifySecondStep(token, { otp }, deviceName));
}

// A session that may only add a factor: it is nobody's to other tabs.
export function recover(token, code, deviceName) {
  return api.verifySecondStep(token, { recovery_code: code }, deviceName);
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
