// Where codes go: the addresses of the account, and another one in the place of one, or beside it, by its code.

import { refuse } from "../js/form.js";
import { t } from "../js/language.js";
import { element, say } from "../js/views.js";
import * as api from "./api.js";
import * as codeForm from "./code_form.js";
import { isolated, make } from "./dom.js";

const input = element("addresses-new");

let user = null;
let close = () => {};
let changed = () => {};

// `onChange(user)` runs when the account has another address.
export function prepare(signedIn, onChange) {
  user = signedIn;
  changed = onChange;
  close = codeForm.prepare("addresses", ask, redeem);
}

export function open() {
  close();
  fill();
}

function fill() {
  const rows = [
    [user.email, user.email_verified, () => t("E-mail address")],
    [user.phone_number, user.phone_verified, () => t("Telephone number")],
  ];
  element("addresses").replaceChildren(...rows.filter(([address]) => address).map(([address, isVerified, words]) => make("li", {},
    make("div", {}, make("p", { class: "device" }, isolated(address)), make("p", {}, words)),
    make("span", { class: "badge" }, () => isVerified ? t("verified") : t("not verified")))));
}

function ask() {
  const address = input.value.trim();
  if (!address) refuse(input, element("addresses-error"), () => t("Enter the new address."));
  return address ? api.requestAddress(address) : null;
}

async function redeem(id, code) {
  ({ user } = await api.verifyAddress(id, code));
  input.value = "";
  fill();
  changed(user);
  element("addresses-title").focus();
  say(() => t("Your address is changed."));
}
