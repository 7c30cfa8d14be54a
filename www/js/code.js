// Codes as people type and paste them. How many characters, and whether letters are among them, are settings that the
// page does not know.

import { plain, withoutSpacesAndDashes } from "./typed.js";

const CODE = /^[0-9A-Z]{4,10}$/;

// "123 456", "<k7m-q2p>" and the like become "123456", "K7MQ2P": spaces and dashes go, and what stands around.
export function clean(text) {
  return withoutSpacesAndDashes(plain(text)).replace(/^[^\p{L}\d]+|[^\p{L}\d]+$/gu, "").toUpperCase();
}

export function looksComplete(code) {
  return CODE.test(code);
}

// The code in a pasted text, such as "Your code: 123 456"; null where there is none, or more than one candidate.
export function findIn(text) {
  const whole = clean(text);
  if (isCertain(whole)) return whole;
  const candidates = plain(text).match(/(?<![\p{L}\d])(\d([ \p{Pd}]?\d)+|[\dA-Z]*\d[\dA-Z]*)(?![\p{L}\d])/gu) ?? [];
  const codes = new Set(candidates.map(clean).filter(looksComplete)); // An SMS says its code twice.
  return codes.size === 1 ? [...codes][0] : null;
}

// May a code that arrived in one piece be sent without asking? Each wrong one costs the visitor one of three attempts,
// and a double-click on "1234 5678" copies only half of it: so not below six characters.
export function maySendUnasked(code) {
  return isCertain(code) && code.length >= 6;
}

// Letters alone may be any word.
function isCertain(code) {
  return looksComplete(code) && /\d/.test(code);
}
