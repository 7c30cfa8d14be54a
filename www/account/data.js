// All that is known of the account, as a file; and its end.

import { t } from "../js/language.js";
import { clear, element, say } from "../js/views.js";
import * as api from "./api.js";
import * as door from "./door.js";
import { save } from "./save.js";
import { button, sure } from "./sure.js";

const alert = element("data-error");

export function prepare() {
  element("data-acts").append(
    button(() => t("Save all my data"), saveAll),
    sure(() => t("Delete my account"), () => t("Your account and all that belongs to it is deleted for good. There is no way back."), deleteAll));
}

export function open() {
  clear(alert);
}

async function saveAll() {
  clear(alert);
  say();
  try {
    save(await api.exportAll(), "account.json", "application/json");
    say(() => t("The file is in your downloads."));
  } catch (error) {
    door.tell(alert, error);
  }
}

async function deleteAll() {
  clear(alert);
  try {
    await api.deleteAll();
    door.toSignIn();
  } catch (error) {
    door.tell(alert, error);
  }
}
