// What the page must know of this installation, so that it promises nothing that the settings do not hold.

import * as api from "./api.js";

let known = {};

// Where it cannot be loaded, the page goes on with what holds everywhere.
export async function load() {
  try {
    known = await api.page(new URLSearchParams(location.search).get("return_to"));
  } catch {
    // The next step meets whatever is wrong, and says so.
  }
}

export function all() {
  return known;
}

export function name() {
  return known.name ?? location.hostname;
}

// Whether messages go to telephones here, as far as that is known.
export function hasSms() {
  return known.channels?.includes("sms") ?? true;
}

// Whether passkeys are taken here.
export function hasPasskeys() {
  return known.passkeys === true;
}

// For how many days a device can be trusted; 0 where none is.
export function trustedDays() {
  return known.trusted_device_days ?? 0;
}

// What a protected site sends its visitors here for: "here" to sign in, "again" to do so although they are signed in,
// "passkey" to do so by one, by ?sign_in=; null where nobody waits for them. They go back at once, by way of the link to return_to.
export function signsInFor() {
  const wish = new URLSearchParams(location.search).get("sign_in");
  return known.return_to && ["here", "again", "passkey"].includes(wish) ? wish : null;
}

// Who is to sign in, as the application that sent the visitor here believes; null where it does not say.
export function hint() {
  return known.return_to ? new URLSearchParams(location.search).get("login_hint") : null;
}

// How codes look here, {length, alphabet}; null where that is not known.
export function codeShape() {
  return known.code ?? null;
}
