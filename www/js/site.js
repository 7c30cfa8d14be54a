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

// How codes look here, {length, alphabet}; null where that is not known.
export function codeShape() {
  return known.code ?? null;
}
