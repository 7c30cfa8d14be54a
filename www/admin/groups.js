// Which groups there are, and how many are in each.

import { isolated, make } from "../account/dom.js";
import * as door from "../account/door.js";
import { t } from "../js/language.js";
import { clear, element } from "../js/views.js";
import * as api from "./api.js";

const alert = element("groups-error");

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

function row({ name, members }) {
  return make("li", {}, make("div", {},
    make("p", { class: "device" }, isolated(name)),
    make("p", {}, () => t("Members: {members}", { members }))));
}
