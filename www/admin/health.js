// Whether all is well: what the service checks of itself, and how full the outbox is.

import { isolated, make, time } from "../account/dom.js";
import * as door from "../account/door.js";
import { parts, t } from "../js/language.js";
import { clear, element, put } from "../js/views.js";
import { dayAndTime } from "../js/words.js";
import * as api from "./api.js";

const alert = element("health-error");

export async function open() {
  clear(alert);
  try {
    const { checks, messages } = await api.health();
    element("health").replaceChildren(...checks.map(row));
    put(element("health-messages"), () => t("Messages: {waiting} wait, {dead} were given up.", messages));
    const { oldest_since: since } = messages;
    const oldest = since && time(new Date(since), dayAndTime);
    if (oldest) put(element("health-oldest"), () => parts("The oldest has waited since {time}.", { time: oldest }));
    else clear(element("health-oldest"));
  } catch (error) {
    door.tell(alert, error);
  }
}

function row({ name, fault, detail }) {
  return make("li", {},
    make("div", {},
      make("p", { class: "device" }, isolated(name)),
      ...[fault, detail].filter(Boolean).map((text) => make("p", {}, isolated(text)))),
    make("span", { class: fault ? "badge bad" : "badge" }, () => fault ? t("broken") : t("well")));
}
