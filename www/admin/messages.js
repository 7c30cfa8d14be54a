// What waits to be sent and what was given up, with what the mail server or the SMS gateway said.

import { isolated, make, time } from "../account/dom.js";
import * as door from "../account/door.js";
import { button } from "../account/sure.js";
import { t } from "../js/language.js";
import { clear, element, put, say } from "../js/views.js";
import { dayAndTime } from "../js/words.js";
import * as api from "./api.js";
import { pagedList } from "./paged.js";

const alert = element("messages-error");
const state = element("messages-state");
const list = pagedList("messages", async (cursor) => {
  const { messages, next_cursor: next } = await api.messages(state.value, cursor);
  return { rows: messages.map((message) => messageRow(message, again)), next };
});

const states = {
  waiting: () => t("waits"),
  leased: () => t("is being sent"),
  dead: () => t("given up"),
};

const kinds = {
  code: () => t("A code"),
  link: () => t("A link"),
};

export const { open } = list;

export function prepare() {
  state.addEventListener("change", open);
  list.prepare();
}

// `again(message)` sends it once more.
export function messageRow(message, again) {
  return make("li", {},
    make("div", {},
      make("p", { class: "device" }, () => `${kinds[message.kind]?.() ?? t("A notice")}: ${states[message.state]()}`),
      make("p", {}, isolated(message.destination)),
      make("p", {}, time(new Date(message.created_at), dayAndTime)),
      message.last_error && make("p", { class: "said" }, isolated(message.last_error))),
    button(() => t("Send again"), () => again(message), { "aria-label": () => t("Send again: {address}", { address: message.destination }) }));
}

async function again(message) {
  clear(alert);
  say();
  try {
    await api.sendAgain(message.id);
    await open();
    element("messages-title").focus();
    say(() => t("The message is sent again."));
  } catch (error) {
    if (error.status === 409) put(alert, () => t("It cannot be sent again: {reason}.", { reason: error.detail }));
    else door.tell(alert, error);
  }
}
