// Servers that are told of events (webhooks), and what waits for them.

import { isolated, make } from "../account/dom.js";
import * as door from "../account/door.js";
import { button, sure } from "../account/sure.js";
import { whileBusy } from "../js/form.js";
import { t } from "../js/language.js";
import { clear, element, say } from "../js/views.js";
import * as api from "./api.js";
import { shownOnce } from "./secret.js";

const alert = element("webhooks-error");
const url = element("webhooks-url");
const secret = shownOnce("webhooks");

export function prepare() {
  element("webhooks-form").addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(element("webhooks-submit"), add);
  });
}

export async function open() {
  clear(alert);
  secret.hide();
  try {
    await load();
  } catch (error) {
    door.tell(alert, error);
  }
}

async function load() {
  const { webhooks } = await api.webhooks();
  element("webhooks").replaceChildren(...webhooks.map(row));
  element("webhooks-none").hidden = webhooks.length > 0;
}

async function add() {
  await act(async () => {
    const made = await api.addWebhook({ url: url.value.trim(), events: element("webhooks-events").value.split(/[\s,]+/).filter(Boolean) });
    element("webhooks-form").reset();
    secret.show(made.secret);
  }, () => t("The server is told of events from now on."));
}

async function act(what, done) {
  clear(alert);
  say();
  try {
    secret.hide();
    await what();
    await load();
    secret.focus(element("webhooks-title"));
    say(done);
  } catch (error) {
    door.tell(alert, error);
  }
}

function row(webhook) {
  const { id, events, last_fault: fault } = webhook;
  return make("li", {},
    make("div", {},
      make("p", { class: "device" }, isolated(webhook.url)),
      make("p", {}, () => t("{waiting} wait, {dead} were given up", { waiting: webhook.waiting, dead: webhook.dead })),
      events.length > 0 && make("p", {}, isolated(events.join(", "))),
      fault && make("p", { class: "said" }, isolated(fault))),
    make("span", { class: webhook.failing_since ? "badge bad" : "badge" }, isolated(webhook.state)),
    make("div", { class: "acts" },
      button(() => t("Send a test"), () => act(() => api.testWebhook(id), () => t("A test is on its way."))),
      button(() => t("Send what waits"), () => act(() => api.retryWebhook(id), () => t("What waited is sent now."))),
      sure(() => t("New secret"), () => t("For 24 hours both secrets sign, then the new one alone."),
        () => act(async () => secret.show((await api.rotateWebhookSecret(id)).secret), () => t("The secret is a new one."))),
      sure(() => t("Remove"), () => t("This server is told of nothing any more, and what waits for it is dropped."),
        () => act(() => api.removeWebhook(id), () => t("The server is removed.")))));
}
