// Codes as people type and paste them. `shape` is what the settings say of codes: how many characters, and whether
// letters are among them; null where nothing is known but that they have 4 to 10.

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
export function findIn(text, shape) {
  const whole = clean(text);
  if (isCertain(whole)) return whole;
  // Without a lookbehind, which Safari before 16.4 does not read.
  const found = plain(text).matchAll(/(^|[^\p{L}\d])(\d([ \p{Pd}]?\d)+|[\dA-Z]*\d[\dA-Z]*)(?![\p{L}\d])/gu);
  const candidates = [...found].map((match) => clean(match[2])).filter(looksComplete);
  const codes = new Set(candidates); // An SMS says its code twice.
  if (codes.size === 1) return [...codes][0];
  const fitting = [...codes].filter((code) => shape && fits(code, shape));
  return fitting.length === 1 ? fitting[0] : null;
}

// May this be sent without asking? Each wrong one costs the visitor one of three attempts, and a double-click on
// "1234 5678" copies only half of it: so not below six characters where the length is not known.
export function maySendUnasked(code, shape) {
  return shape ? fits(code, shape) : isCertain(code) && code.length >= 6;
}

function fits(code, { length, alphabet }) {
  return code.length === length && (alphabet === "digits" ? /^\d+$/ : CODE).test(code);
}

// Letters alone may be any word.
function isCertain(code) {
  return looksComplete(code) && /\d/.test(code);
}
