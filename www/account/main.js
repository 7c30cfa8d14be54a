// The owner's page of the account. Each of its parts is a module that knows nothing of the others.

import { whileBusy } from "../js/form.js";
import { t } from "../js/language.js";
import { element, putAddress, say, show } from "../js/views.js";
import * as addresses from "./addresses.js";
import * as applications from "./applications.js";
import * as data from "./data.js";
import * as factors from "./factors.js";
import * as keys from "./keys.js";
import * as events from "./own_events.js";
import * as parts from "./parts.js";
import * as password from "./password.js";
import * as places from "./places.js";
import * as profile from "./profile.js";
import { signOut, start } from "./start.js";

const title = () => t("Your account");
const out = element("sign-out");
out.addEventListener("click", () => whileBusy(out, () => signOut(element("sign-out-error"))));
for (const part of [factors, places, keys, data]) part.prepare();

start({ folders: ["account/texts"], plurals: {} }, title, (user) => {
  profile.prepare(user);
  password.prepare(user);
  events.prepare(user);
  addresses.prepare(user, (changed) => {
    password.changedUser(changed);
    name(changed);
  });
  parts.prepare({
    profile: profile.open,
    addresses: addresses.open,
    password: password.open,
    factors: factors.open,
    sessions: places.open,
    applications: applications.open,
    keys: keys.open,
    events: events.open,
    data: data.open,
  }, say);
  name(user);
  element("to-admin").hidden = user.role !== "admin";
  show("account", title);
  parts.open();
});

function name(user) {
  putAddress(element("account-name"), user.email ?? user.phone_number ?? user.username ?? "");
}
