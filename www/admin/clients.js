// The applications that sign their users in here (OpenID Connect).

import { isolated, make } from "../account/dom.js";
import * as door from "../account/door.js";
import { button, sure } from "../account/sure.js";
import { whileBusy } from "../js/form.js";
import { t } from "../js/language.js";
import { clear, element, say } from "../js/views.js";
import * as api from "./api.js";
import { pagedList } from "./paged.js";
import { shownOnce } from "./secret.js";

const alert = element("clients-error");
const secret = shownOnce("clients");
const list = pagedList("clients", async (cursor) => {
  const { clients, next_cursor: next } = await api.clients(cursor);
  return { rows: clients.map(row), next };
});

export function prepare() {
  element("clients-form").addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(element("clients-submit"), create);
  });
  list.prepare();
}

export function open() {
  secret.hide();
  return list.open();
}

async function create() {
  const lines = (name) => element(name).value.split(/\s+/).filter(Boolean);
  await act(async () => {
    const made = await api.createClient({
      client_id: element("clients-id").value.trim(),
      title: element("clients-title-field").value.trim() || undefined,
      redirect_uris: lines("clients-redirects"),
      groups: lines("clients-groups"),
      public: element("clients-public").checked,
    });
    element("clients-form").reset();
    secret.show(made.client_secret);
  }, () => t("The application is registered."));
}

// Does it, says so, and shows the list as it is then.
async function act(what, done) {
  clear(alert);
  say();
  try {
    secret.hide();
    await what();
    await list.open();
    secret.focus(element("clients-title"));
    say(done);
  } catch (error) {
    door.tell(alert, error);
  }
}

function row(client) {
  const { client_id: id, title, groups } = client;
  return make("li", {},
    make("div", {},
      make("p", { class: "device" }, isolated(title)),
      make("p", {}, isolated(id)),
      ...client.redirect_uris.map((uri) => make("p", {}, isolated(uri))),
      groups.length > 0 && make("p", {}, isolated(groups.join(", ")))),
    client.disabled && make("span", { class: "badge bad" }, () => t("disabled")),
    make("div", { class: "acts" },
      client.disabled
        ? button(() => t("Enable"), () => act(() => api.enableClient(id), () => t("The application is enabled.")))
        : sure(() => t("Disable"), () => t("Nobody signs in to this application until it is enabled again."), () => act(() => api.disableClient(id), () => t("The application is disabled."))),
      !client.public && sure(() => t("New secret"), () => t("The old secret is refused from now on."),
        () => act(async () => secret.show((await api.rotateClientSecret(id)).client_secret), () => t("The secret is a new one."))),
      sure(() => t("Remove"), () => t("Nobody signs in to this application any more, and what users let it know is forgotten."),
        () => act(() => api.deleteClient(id), () => t("The application is removed.")))));
}
