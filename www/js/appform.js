// The form that adds an authenticator app: its QR code, its key as text, and its first code. Wherever it stands, its parts
// have the ids `${prefix}-form`, `-qr`, `-secret`, `-name`, `-code`, `-code-error`, `-confirm` and `-cancel`.

import * as api from "./api.js";
import { clean, looksComplete } from "./code.js";
import { sentence } from "./errors.js";
import { clearError, complain, refuse, whileBusy } from "./form.js";
import { t } from "./language.js";
import { element } from "./views.js";

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 4; // modules of light around it, which scanners need

// `onAdded(app)` runs when one was added, `onClosed()` when the form goes without, and `onSignedOut()` when the visitor
// turns out to be no longer signed in. Resolves to {begin, close}; begin() rejects where no key is to be had.
export function appForm(prefix, onAdded, onClosed, onSignedOut) {
  const part = (name) => element(`${prefix}-${name}`);
  const form = part("form");
  const input = part("code");
  const alert = part("code-error");
  let token = "";

  async function begin() {
    const { token: given, secret, qr } = await api.appInvitation();
    token = given;
    part("qr").replaceChildren(draw(qr));
    part("secret").textContent = secret.match(/.{1,4}/g).join(" ");
    part("name").value = t("Authenticator app");
    input.value = "";
    clearError(input, alert);
    form.hidden = false;
    input.focus();
  }

  // The secret stands in this page alone, and goes with the form.
  function close() {
    token = "";
    part("qr").replaceChildren();
    part("secret").textContent = "";
    form.hidden = true;
  }

  async function confirm() {
    const code = clean(input.value);
    clearError(input, alert);
    if (!looksComplete(code)) return refuse(input, alert, () => t("Enter the code that the app shows."));
    try {
      const made = await api.addApp(token, code, part("name").value);
      close();
      onAdded(made);
    } catch (error) {
      if (error.code === "INVALID_OTP") {
        return refuse(input, alert, () => t("That code is not right, or was used already. Wait for the next one."));
      }
      if (error.status === 401) return onSignedOut();
      complain(input, alert, () => sentence(error));
    }
  }

  part("cancel").addEventListener("click", () => {
    close();
    onClosed();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(part("confirm"), confirm);
  });
  return { begin, close };
}

// One path for all dark modules: the page's policy lets in no image that is made elsewhere.
function draw(rows) {
  const size = rows.length + 2 * MARGIN;
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", t("QR code of the key below"));
  svg.setAttribute("shape-rendering", "crispEdges");
  path.setAttribute("d", rows.flatMap((line, y) => [...line].map((module, x) =>
    module === "1" ? `M${x + MARGIN} ${y + MARGIN}h1v1h-1z` : "")).join(""));
  svg.append(path);
  return svg;
}
