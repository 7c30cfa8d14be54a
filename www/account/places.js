// Where the owner is signed in: each session, the others, or all of them with the devices and API keys.

import * as common from "../js/api.js";
import { t } from "../js/language.js";
import { clear, element, say } from "../js/views.js";
import * as api from "./api.js";
import * as door from "./door.js";
import * as sessions from "./sessions.js";
import { sure } from "./sure.js";

const alert = element("sessions-error");

let others = [];

export function prepare() {
  sessions.prepare(door.toSignIn);
  element("sessions-all").append(
    sure(() => t("End all other sessions"), () => t("Whoever is signed in elsewhere, you too, must sign in again there."), endOthers),
    sure(() => t("Sign out everywhere"), () => t("Every session ends, this one too, every device is forgotten, and your API keys are revoked."), endAll));
}

export async function open() {
  others = (await sessions.open())?.others ?? [];
}

async function endOthers() {
  clear(alert);
  say();
  try {
    await open(); // There may be more of them by now.
    for (const { id } of others) await common.endSession(id);
    await open();
    element("sessions-title").focus();
    say(() => t("All other sessions have ended."));
  } catch (error) {
    door.tell(alert, error);
  }
}

async function endAll() {
  clear(alert);
  try {
    await api.endEverywhere();
    door.toSignIn();
  } catch (error) {
    door.tell(alert, error);
  }
}
