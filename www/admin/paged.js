// A list that comes in parts: the first when it is opened, the next at “More”.

import * as door from "../account/door.js";
import { button } from "../account/sure.js";
import { t } from "../js/language.js";
import { clear, element } from "../js/views.js";

// `read(cursor)` brings {rows, next} for the elements whose ids begin with `name`; `fail` tells in an alert what went wrong.
export function pagedList(name, read, fail = door.tell) {
  const [list, none, more, alert] = ["", "-none", "-more", "-error"].map((part) => element(name + part));
  let cursor = "";
  let latest = 0;

  async function load() {
    const own = ++latest;
    clear(alert);
    try {
      const { rows, next } = await read(cursor);
      if (own !== latest) return; // Who was asked later is believed.
      list.append(...rows);
      none.hidden = list.children.length > 0;
      cursor = next ?? "";
      more.hidden = !next;
    } catch (error) {
      if (own === latest) fail(alert, error);
    }
  }

  return {
    prepare: () => more.append(button(() => t("More"), load)),
    open() {
      list.replaceChildren();
      cursor = "";
      return load();
    },
  };
}
