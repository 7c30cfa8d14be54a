// The code the visitor is waiting for. It survives a reload (they may have left to read their mail); the code itself
// is never kept. The address is, to send a new code: it is the visitor's own, in their own tab, until they are signed in.

import { forget, load, save } from "./storage.js";

const NAME = "otpgate.pending";

// From the answer of otp/request; the deadlines are in milliseconds of this browser's clock.
export function begin(destination, answer) {
  const now = Date.now();
  const pending = {
    otp_id: answer.otp_id,
    channel: answer.channel,
    destination,
    destination_masked: answer.destination_masked ?? destination,
    expires_at: now + 1000 * (answer.expires_in ?? 600),
    resend_at: now + 1000 * (answer.resend_in ?? 30),
  };
  save(NAME, pending);
  return pending;
}

export function postponeResend(pending, seconds) {
  pending.resend_at = Math.max(pending.resend_at, Date.now() + 1000 * seconds);
  save(NAME, pending);
}

export function resume() {
  const pending = load(NAME);
  return pending?.otp_id ? pending : null;
}

export function end() {
  forget(NAME);
}
