// What people type and paste, in plain characters. The server reads addresses, numbers and codes as kindly; the page
// does so to know what it can complain of at once, and when a code is complete.

// Full-width characters become plain, the digits of every script 0 to 9; what nobody sees (zero-width spaces, marks of
// direction) goes.
export function plain(text) {
  return text.normalize("NFKC").replace(/(?![\u200c\u200d])[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, "")
    .replace(/\p{Nd}/gu, valueOf).trim();
}

export function withoutSpacesAndDashes(text) {
  return text.replace(/[\s\p{Pd}\p{Cf}\u2212]/gu, "");
}

// Digits come in rows of ten, from nought to nine.
function valueOf(digit) {
  let before = 0;
  while (/\p{Nd}/u.test(String.fromCodePoint(digit.codePointAt(0) - before - 1))) ++before;
  return String(before % 10);
}
