// Behaviour that forms and buttons share: one request at a time, and errors that every visitor notices.

import { clear, put } from "./views.js";

// Runs `action` unless the button is busy with the one before. The button is not disabled, because that would throw
// the focus away: aria-disabled says it, and this function holds it.
export async function whileBusy(button, action) {
  if (isBusy(button)) return;
  button.setAttribute("aria-busy", "true");
  button.setAttribute("aria-disabled", "true");
  try {
    await action();
  } finally {
    button.removeAttribute("aria-busy");
    button.removeAttribute("aria-disabled");
  }
}

export function isBusy(button) {
  return button.getAttribute("aria-busy") === "true";
}

// The field is marked, keeps the focus, and its text is selected so that typing replaces it. `text` makes the sentence.
export function refuse(input, alert, text) {
  put(alert, text);
  input.setAttribute("aria-invalid", "true");
  input.focus();
  input.select();
}

// For what is not the field's fault, such as a server out of reach.
export function complain(input, alert, text) {
  put(alert, text);
  input.setAttribute("aria-invalid", "false");
  input.focus();
}

export function clearError(input, alert) {
  clear(alert);
  input.setAttribute("aria-invalid", "false");
}
