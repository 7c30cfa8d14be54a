// The page of administrators. Each of its parts is a module that knows nothing of the others; all of them ask /api/v1/admin.

import * as parts from "../account/parts.js";
import { signOut, start } from "../account/start.js";
import { whileBusy } from "../js/form.js";
import { t } from "../js/language.js";
import { element, say, show } from "../js/views.js";
import * as clients from "./clients.js";
import * as events from "./events.js";
import * as group from "./group.js";
import * as groups from "./groups.js";
import * as health from "./health.js";
import * as keys from "./keys.js";
import * as messages from "./messages.js";
import * as people from "./people.js";
import * as person from "./person.js";
import * as today from "./today.js";
import * as webhooks from "./webhooks.js";

const title = () => t("Administration");
const out = element("sign-out");
out.addEventListener("click", () => whileBusy(out, () => signOut(element("sign-out-error"))));
for (const part of [people, messages, events, today, clients, webhooks, keys, groups, group]) part.prepare();

start({ folders: ["account/texts", "admin/texts"], plurals: {} }, title, (user) => {
  if (user.role !== "admin") return show("refused", title);
  person.prepare(user.id);
  health.prepare(user.email ?? user.phone_number ?? "");
  parts.prepare({
    people: people.open,
    person: person.open,
    today: today.open,
    events: events.open,
    messages: messages.open,
    clients: clients.open,
    webhooks: webhooks.open,
    keys: keys.open,
    groups: groups.open,
    group: group.open,
    health: health.open,
  }, say);
  show("admin", title);
  parts.open();
});
