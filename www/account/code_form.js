// Asks for a code and for what it proves, on several parts of the page: a form that begins it, and one that takes the code.

import { clean, looksComplete } from "../js/code.js";
import { clearError, refuse, whileBusy } from "../js/form.js";
import { t } from "../js/language.js";
import { clear, element, say } from "../js/views.js";
import * as door from "./door.js";

// `name` is how the ids of the part begin. `ask()` has a code sent and resolves to the answer, or to null where its form is
// not right yet; `redeem(id, code)` does what it is for. Returns what takes it all back.
export function prepare(name, ask, redeem) {
  const begin = element(`${name}-form`);
  const form = element(`${name}-code-form`);
  const input = element(`${name}-code`);
  const alert = element(`${name}-error`);
  const codeAlert = element(`${name}-code-error`);
  let id = "";

  const close = () => {
    id = input.value = "";
    form.hidden = true;
    begin.hidden = false;
    clearError(input, codeAlert);
  };
  begin.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(element(`${name}-submit`), async () => {
      clear(alert);
      say();
      try {
        const answer = await ask();
        if (!answer) return;
        id = answer.otp_id;
        form.hidden = false;
        begin.hidden = true;
        input.focus();
        say(() => t("A code is on its way to {address}.", { address: answer.destination_masked }));
      } catch (error) {
        door.tell(alert, error);
      }
    });
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(element(`${name}-confirm`), async () => {
      const code = clean(input.value);
      clearError(input, codeAlert);
      if (!looksComplete(code)) return refuse(input, codeAlert, () => t("Enter the code from the message."));
      try {
        await redeem(id, code);
        close();
      } catch (error) {
        door.tell(codeAlert, error);
        input.focus();
      }
    });
  });
  element(`${name}-cancel`).addEventListener("click", () => {
    close();
    begin.querySelector("input, button").focus();
  });
  return close;
}
