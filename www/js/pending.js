// The code the visitor is waiting for. It survives a reload (they may have left to read their mail); the code itself
// is never kept. The address is, to send a new code: it is the visitor's own, in their own tab, until they are signed in.
// Another tab of this browser is told, so that it can take the code as well.

import { forget, load, save } from "./storage.js";

const NAME = "otpgate.pending";

const tabs = "BroadcastChannel" in globalThis ? new BroadcastChannel(NAME) : null;

// From the answer of otp/request; the deadlines are in milliseconds of this browser's clock.
export function begin(destination, answer) {
  const now = Date.now();
  const pending = {
    otp_id: answer.otp_id,
    channel: answer.channel,
    destination,
    means: answer.means,
    expires_at: now + 1000 * (answer.expires_in ?? 600),
    resend_at: now + 1000 * (answer.resend_in ?? 30),
  };
  save(NAME, pending);
  tabs?.postMessage({ pending });
  return pending;
}

// A code of which this tab knows the address alone: it was asked for elsewhere.
export function beginWithout(destination) {
  const pending = { channel: destination.includes("@") ? "email" : "sms", destination, resend_at: 0 };
  save(NAME, pending);
  return pending;
}

export function postponeResend(pending, seconds) {
  pending.resend_at = Math.max(pending.resend_at, Date.now() + 1000 * seconds);
  save(NAME, pending);
}

export function resume() {
  const pending = load(NAME);
  return pending?.destination ? pending : null;
}

export function adopt(pending) {
  save(NAME, pending);
  return pending;
}

export function end() {
  forget(NAME);
}

// `callback(pending)` runs when another tab asked for a code, or answers ask().
export function onShared(callback) {
  tabs?.addEventListener("message", ({ data }) => {
    if (data.pending) return callback(data.pending);
    const pending = resume();
    if (pending?.otp_id) tabs.postMessage({ pending });
  });
}

// Is there a tab that waits for a code?
export function ask() {
  tabs?.postMessage({});
}
