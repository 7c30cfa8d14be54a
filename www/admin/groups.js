// Which groups there are, and how many are in each; and new ones.

import { isolated, make } from "../account/dom.js";
import * as door from "../account/door.js";
import { clearError, refuse, whileBusy } from "../js/form.js";
import { t } from "../js/language.js";
import { clear, element, say } from "../js/views.js";
import * as api from "./api.js";

const alert = element("groups-error");
const name = element("groups-name");
const formAlert = element("groups-form-error");

export function prepare() {
  element("groups-form").addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(element("groups-submit"), create);
  });
}

export async function open() {
  clear(alert);
  try {
    const { groups } = await api.groups();
    element("groups").replaceChildren(...groups.map(row));
    element("groups-none").hidden = groups.length > 0;
  } catch (error) {
    door.tell(alert, error);
  }
}

async function create() {
  clearError(name, formAlert);
  say();
  const text = name.value.trim();
  if (!text) return refuse(name, formAlert, () => t("Give the group a name."));
  try {
    await api.createGroup(text);
    name.value = "";
    await open();
    say(() => t("The group is made: {name}.", { name: text }));
  } catch (error) {
    door.tell(formAlert, error);
  }
}

function row({ name: group, members }) {
  return make("li", {}, make("div", {},
    make("p", { class: "device" }, make("a", { href: `#group/${encodeURIComponent(group)}` }, isolated(group))),
    make("p", {}, () => t("Members: {members}", { members }))));
}
