// One person on one screen: why a code did not arrive, and what can be done about it.

import { isolated, make, time } from "../account/dom.js";
import * as door from "../account/door.js";
import { rows } from "../account/happened.js";
import { open as showParts } from "../account/parts.js";
import { save } from "../account/save.js";
import { nameOf } from "../account/sessions.js";
import { button, sure } from "../account/sure.js";
import { whileBusy } from "../js/form.js";
import { parts, t } from "../js/language.js";
import { clear, element, put, say } from "../js/views.js";
import { clockTime, dayAndTime } from "../js/words.js";
import * as api from "./api.js";
import { causeOf } from "./cause.js";
import { causeWords, countedWords } from "./cause_words.js";
import { messageRow } from "./messages.js";
import { nameOf as nameOfUser } from "./people.js";

const alert = element("person-error");
const address = element("person-address");
const addressAlert = element("person-address-error");
const group = element("person-group");
const groupAlert = element("person-group-error");

let me = "";
let shown = null;

// `ownId`: of the administrator, who does not disable or delete himself.
export function prepare(ownId) {
  me = ownId;
  element("person-address-form").addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(element("person-address-submit"), changeAddress);
  });
  element("person-group-form").addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(element("person-group-submit"), join);
  });
}

export async function open(id) {
  clear(alert);
  element("person-all").hidden = true;
  try {
    fill(await api.person(id));
    element("person-title").focus();
  } catch (error) {
    door.tell(alert, error);
  }
}

function fill(person) {
  shown = person;
  const { user } = person;
  element("person-all").hidden = false;
  put(element("person-title"), () => isolated(nameOfUser(user)));
  const cause = causeOf(person, Date.now());
  put(element("person-cause"), () => causeWords(cause));
  element("person-facts").replaceChildren(...facts(user));
  element("person-acts").replaceChildren(...acts(person));
  fillList("person-limits", person.limits.filter((limit) => limit.remaining < limit.limit).map(limitRow));
  fillList("person-messages", person.messages.map((message) => messageRow(message, again)));
  fillList("person-events", rows(person.events));
  fillList("person-sessions", person.sessions.map(sessionRow));
  fillList("person-devices", person.devices.map(deviceRow));
  fillList("person-keys", person.api_keys.map(keyRow));
  fillList("person-groups", (user.groups ?? []).map(groupRow));
  address.value = user.email ?? user.phone_number ?? "";
}

function fillList(name, items) {
  element(name).replaceChildren(...items);
  element(`${name}-none`).hidden = items.length > 0;
}

function facts(user) {
  const fact = (words, ...value) => make("div", {}, make("dt", {}, words), make("dd", {}, ...value));
  const verified = (isVerified) => isVerified ? t("verified") : t("not verified");
  const name = [user.display_name, user.first_name, user.last_name].filter(Boolean).join(" / ");
  return [
    user.email && fact(() => t("E-mail address"), isolated(user.email), " ", make("span", { class: "badge" }, () => verified(user.email_verified))),
    user.phone_number && fact(() => t("Telephone number"), isolated(user.phone_number), " ", make("span", { class: "badge" }, () => verified(user.phone_verified))),
    ![user.email, user.phone_number, null].includes(user.username) && fact(() => t("User name"), isolated(user.username)),
    name && fact(() => t("Name"), isolated(name)),
    fact(() => t("State"), make("span", {}, () => user.status === "disabled" ? t("disabled") : user.role === "admin" ? t("administrator") : t("active"))),
    fact(() => t("Since"), time(new Date(user.date_joined), dayAndTime)),
    user.last_login_at && fact(() => t("Last sign-in"), time(new Date(user.last_login_at), dayAndTime)),
    fact(() => t("Id"), isolated(user.id)),
  ].filter(Boolean);
}

// Only what can be done now.
function acts({ user, messages, has_factor: hasFactor }) {
  const { id } = user;
  const isSelf = id === me;
  return [
    messages.length > 0 && button(() => t("Send the last message again"), () => act(() => api.sendLastAgain(id), () => t("The message is sent again."))),
    button(() => t("Clear the limits"), () => act(() => api.clearLimits(id), () => t("The limits are cleared."))),
    hasFactor && sure(() => t("Remove passkeys and apps"), () => t("All passkeys, authenticator apps and recovery codes go, every session ends, and the owner is told. Is it really the owner who asks?"),
      () => act(() => api.resetFactors(id), () => t("The passkeys and apps are removed."))),
    sure(() => t("End all sessions"), () => t("Every session, device and API key of this account ends."),
      () => act(() => api.endSessions(id), () => t("All sessions are ended."))),
    user.status === "disabled" && button(() => t("Enable"), () => act(() => api.enable(id), () => t("The account is enabled."))),
    user.status !== "disabled" && !isSelf && sure(() => t("Disable"), () => t("Nobody signs in to this account until it is enabled again, and its sessions end. Nobody is told by us."),
      () => act(() => api.disable(id), () => t("The account is disabled."))),
    button(() => t("Hand out all data"), () => act(async () => save(await api.exportOf(id), "account.json", "application/json"), () => t("The file is in your downloads."))),
    !isSelf && sure(() => t("Delete the account"), () => t("The account, its sessions and its keys are deleted for good."), () => remove(id)),
  ].filter(Boolean);
}

// Does it, says so, and shows the person as he is then.
async function act(what, done) {
  clear(alert);
  say();
  try {
    await what();
    fill(await api.person(shown.user.id));
    element("person-title").focus();
    say(done);
  } catch (error) {
    door.tell(alert, error);
  }
}

function again(message) {
  return act(() => api.sendAgain(message.id), () => t("The message is sent again."));
}

async function remove(id) {
  clear(alert);
  try {
    await api.remove(id);
    element("people").replaceChildren();
    history.replaceState(null, "", "#people"); // Nothing is left to come back to.
    showParts();
    say(() => t("The account is deleted."));
  } catch (error) {
    door.tell(alert, error);
  }
}

// The same address is confirmed, another one takes its place.
async function changeAddress() {
  clear(addressAlert);
  say();
  const text = address.value.trim();
  try {
    await api.setAddress(shown.user.id, text.includes("@") ? { email: text } : { phone_number: text });
    fill(await api.person(shown.user.id));
    element("person-title").focus();
    say(() => t("The address is set and counts as verified. The owner is told."));
  } catch (error) {
    door.tell(addressAlert, error);
  }
}

async function join() {
  clear(groupAlert);
  say();
  try {
    await api.joinGroup(shown.user.id, group.value.trim());
    group.value = "";
    fill(await api.person(shown.user.id));
    say(() => t("The groups are changed."));
  } catch (error) {
    if (error.status === 404) put(groupAlert, () => t("There is no such group."));
    else door.tell(groupAlert, error);
  }
}

function limitRow(limit) {
  const left = { count: limit.remaining, most: limit.limit };
  return make("li", {}, make("div", {},
    make("p", { class: "device" }, () => countedWords(limit.counted)),
    make("p", {}, () => limit.next_free_at
      ? t("{count} of {most} left, one more at {time}", { ...left, time: clockTime(new Date(limit.next_free_at)) })
      : t("{count} of {most} left", left)),
    limit.address && make("p", {}, isolated(limit.address))));
}

function sessionRow(session) {
  const seen = time(new Date(session.last_seen_at), dayAndTime);
  return make("li", {},
    make("div", {},
      make("p", { class: "device" }, () => isolated(nameOf(session))),
      make("p", {}, () => parts("Active {time}", { time: seen })),
      make("p", {}, isolated(session.ip ?? ""))),
    button(() => t("End session"), () => act(() => api.endSession(shown.user.id, session.id), () => t("The session is ended."))));
}

function deviceRow(device) {
  const seen = time(new Date(device.last_seen_at), dayAndTime);
  return make("li", {}, make("div", {},
    make("p", { class: "device" }, isolated(device.device_name ?? device.platform ?? device.id)),
    make("p", {}, () => parts("Active {time}", { time: seen }))));
}

function keyRow(key) {
  const made = time(new Date(key.created_at), dayAndTime);
  return make("li", {},
    make("div", {},
      make("p", { class: "device" }, isolated(key.name)),
      make("p", {}, isolated(`otpg_${key.prefix}_…`)),
      make("p", {}, () => parts("Made {time}", { time: made }))),
    sure(() => t("Revoke"), () => t("Programs that use this key are refused from now on."), () => act(() => api.revokeApiKey(key.id), () => t("The key is revoked: {name}.", { name: key.name })),
      { "aria-label": () => t("Revoke: {name}", { name: key.name }) }));
}

function groupRow(name) {
  return make("li", {}, make("div", {}, make("p", { class: "device" }, isolated(name))),
    button(() => t("Take out"), () => act(() => api.leaveGroup(shown.user.id, name), () => t("The groups are changed.")),
      { "aria-label": () => t("Take out: {name}", { name }) }));
}
