// One group: who is in it, who else is to be, and its end.

import { isolated, make } from "../account/dom.js";
import * as door from "../account/door.js";
import { open as showParts } from "../account/parts.js";
import { button, sure } from "../account/sure.js";
import { clearError, refuse, whileBusy } from "../js/form.js";
import { t } from "../js/language.js";
import { clear, element, put, say } from "../js/views.js";
import * as api from "./api.js";
import { pagedList } from "./paged.js";
import { nameOf } from "./people.js";

const alert = element("group-error");
const who = element("group-who");
const formAlert = element("group-form-error");
const list = pagedList("group", async (cursor) => {
  const { members, next_cursor: next } = await api.members(group, cursor);
  element("group-all").hidden = false;
  return { rows: members.map(row), next };
}, tell);

let group = "";

export function prepare() {
  element("group-form").addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(element("group-submit"), add);
  });
  list.prepare();
  element("group-acts").append(sure(() => t("Remove the group"),
    () => t("Its members are taken out. Where only this group may sign in, nobody of them does any more."), remove));
}

export async function open(name) {
  group = name;
  element("group-all").hidden = true;
  put(element("group-title"), () => isolated(group));
  clearError(who, formAlert);
  who.value = "";
  await list.open();
}

function tell(where, error) {
  if (error.status === 404) put(where, () => t("There is no such group."));
  else door.tell(where, error);
}

function row(user) {
  const name = nameOf(user);
  return make("li", {},
    make("div", {},
      make("p", { class: "device" }, make("a", { href: `#person/${user.id}` }, isolated(name))),
      user.display_name && make("p", {}, isolated(user.display_name))),
    button(() => t("Take out"), () => act(() => api.leaveGroup(user.id, group)), { "aria-label": () => t("Take out: {name}", { name }) }));
}

async function act(what) {
  clear(alert);
  say();
  try {
    await what();
    await list.open();
    element("group-title").focus();
    say(() => t("The groups are changed."));
  } catch (error) {
    door.tell(alert, error);
  }
}

// Who is named whole: of those whose names begin so, he comes first.
async function add() {
  clearError(who, formAlert);
  say();
  const text = who.value.trim();
  try {
    const { users } = text ? await api.findPeople(text, { limit: 1 }) : { users: [] };
    const user = users.find((each) => isNamed(each, text.toLowerCase()));
    if (!user) return refuse(who, formAlert, () => t("No account has “{text}”.", { text }));
    await api.joinGroup(user.id, group);
    who.value = "";
    await list.open();
    say(() => t("The groups are changed."));
  } catch (error) {
    door.tell(formAlert, error);
  }
}

function isNamed(user, text) {
  return [user.email, user.phone_number, user.username, user.id].some((name) => name?.toLowerCase() === text);
}

async function remove() {
  clear(alert);
  say();
  try {
    await api.removeGroup(group);
    history.replaceState(null, "", "#groups"); // Nothing is left to come back to.
    showParts();
    say(() => t("The group is removed: {name}.", { name: group }));
  } catch (error) {
    door.tell(alert, error);
  }
}
