// Codes as people type and paste them. A code has 4 to 10 digits; how many is a setting that the page does not know.

const MIN = 4;
const MAX = 10;

// "123 456", "123-456" and the like become "123456": spaces, dashes and invisible marks go, full-width digits become plain.
export function clean(text) {
  return text.normalize("NFKC").replace(/[\s\p{Pd}\p{Cf}]/gu, "");
}

export function looksComplete(code) {
  return /^\d+$/.test(code) && code.length >= MIN && code.length <= MAX;
}

// The code in a pasted text, such as "Your code: 123 456"; null where there is none, or more than one candidate.
export function findIn(text) {
  const whole = clean(text);
  if (looksComplete(whole)) return whole;
  const candidates = text.normalize("NFKC").match(/\d(?:[ \p{Pd}]?\d)+/gu) ?? [];
  const codes = candidates.map(clean).filter(looksComplete);
  return codes.length === 1 ? codes[0] : null;
}

// May a code that arrived in one piece be sent without asking? Each wrong one costs the visitor one of three attempts,
// and a double-click on "1234 5678" copies only half of it: so not below six digits.
export function maySendUnasked(code) {
  return looksComplete(code) && code.length >= 6;
}
