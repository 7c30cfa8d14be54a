// The applications that the owner signed in to by this account, and what each may know; each can be shut out again.

import { parts, t } from "../js/language.js";
import { clear, element, say } from "../js/views.js";
import { dayAndTime } from "../js/words.js";
import * as api from "./api.js";
import { isolated, make, time } from "./dom.js";
import * as door from "./door.js";
import { sure } from "./sure.js";

const alert = element("applications-error");

export async function open() {
  clear(alert);
  try {
    await load();
  } catch (error) {
    door.tell(alert, error);
  }
}

async function load() {
  const { applications } = await api.applications();
  element("applications").replaceChildren(...applications.map(row));
  element("applications-none").hidden = applications.length > 0;
}

function row(application) {
  const { client_id: id, name, scopes, last_used_at: used } = application;
  const last = used && time(new Date(used), dayAndTime);
  return make("li", {},
    make("div", {},
      make("p", { class: "device" }, isolated(name)),
      make("p", {}, isolated(scopes.join(", "))),
      last && make("p", {}, () => parts("Last used {time}", { time: last }))),
    sure(() => t("Take back"), () => t("The application is told that you have left, and learns nothing more of you until you sign in there again."),
      () => takeBack(id, name), { "aria-label": () => t("Take back: {name}", { name }) }));
}

async function takeBack(id, name) {
  clear(alert);
  say();
  try {
    await api.takeBack(id);
    await load();
    element("applications-title").focus();
    say(() => t("{name} knows you no longer.", { name }));
  } catch (error) {
    door.tell(alert, error);
  }
}
