// The API keys of everybody: whose they are, what they may do, when they were used last; each can be revoked.

import { isolated, make, time } from "../account/dom.js";
import * as door from "../account/door.js";
import { sure } from "../account/sure.js";
import { parts, t } from "../js/language.js";
import { clear, element, say } from "../js/views.js";
import { dayAndTime } from "../js/words.js";
import * as api from "./api.js";
import { pagedList } from "./paged.js";
import { nameOf } from "./people.js";

const alert = element("keys-error");

export const { prepare, open } = pagedList("keys", async (cursor) => {
  const { api_keys: keys, next_cursor: next } = await api.apiKeys(cursor);
  return { rows: keys.map(row), next };
});

function row(key) {
  const { name, owner, send_limit: limit } = key;
  const [made, used, end] = [key.created_at, key.last_used_at, key.expires_at].map((text) => text && time(new Date(text), dayAndTime));
  return make("li", {},
    make("div", {},
      make("p", { class: "device" }, isolated(name)),
      make("p", {}, make("a", { href: `#person/${owner.id}` }, isolated(nameOf(owner)))),
      make("p", {}, isolated(`otpg_${key.prefix}_…`)),
      make("p", {}, isolated(key.scopes.join(", "))),
      limit && make("p", {}, () => parts("Limit: {limit}", { limit: isolated(limit) })),
      make("p", {}, () => parts("Made {time}", { time: made })),
      make("p", {}, () => used ? parts("Last used {time}", { time: used }) : t("Never used")),
      end && make("p", {}, () => parts("Ends {time}", { time: end }))),
    sure(() => t("Revoke"), () => t("Programs that use this key are refused from now on."), () => revoke(key), { "aria-label": () => t("Revoke: {name}", { name }) }));
}

async function revoke({ id, name }) {
  clear(alert);
  say();
  try {
    await api.revokeApiKey(id);
    await open();
    element("keys-title").focus();
    say(() => t("The key is revoked: {name}.", { name }));
  } catch (error) {
    door.tell(alert, error);
  }
}
