// The routes of administrators, one function a route: see api.js of the sign-in.

import { call, file } from "../js/api.js";

// Two servers that are slow to answer, one after the other.
const MAIL_SERVERS_MS = 60_000;

const query = (values) => new URLSearchParams(Object.entries(values).filter(([, value]) => value)).toString();
const user = (id) => `/admin/users/${encodeURIComponent(id)}`;

export function findPeople(search, { cursor = "", limit = "" } = {}) {
  return call("GET", `/admin/users?${query({ search, cursor, limit })}`, { needs: ["users"] });
}

export function person(id) {
  return call("GET", user(id), { needs: ["user"] });
}

export function disable(id) {
  return call("POST", `${user(id)}/disable`);
}

export function enable(id) {
  return call("POST", `${user(id)}/enable`);
}

export function remove(id) {
  return call("DELETE", user(id));
}

// `address`: {email} or {phone_number}. The one that the account has already is confirmed by it.
export function setAddress(id, address) {
  return call("PUT", `${user(id)}/address`, { body: address });
}

export function clearLimits(id) {
  return call("DELETE", `${user(id)}/limits`);
}

export function resetFactors(id) {
  return call("DELETE", `${user(id)}/factors`);
}

export function endSessions(id) {
  return call("DELETE", `${user(id)}/sessions`);
}

export function endSession(id, session) {
  return call("DELETE", `${user(id)}/sessions/${encodeURIComponent(session)}`);
}

export function joinGroup(id, group) {
  return call("PUT", `${user(id)}/groups/${encodeURIComponent(group)}`);
}

export function leaveGroup(id, group) {
  return call("DELETE", `${user(id)}/groups/${encodeURIComponent(group)}`);
}

const group = (name) => `/admin/groups/${encodeURIComponent(name)}`;

export function groups() {
  return call("GET", "/admin/groups", { needs: ["groups"] });
}

export function createGroup(name) {
  return call("PUT", group(name));
}

export function removeGroup(name) {
  return call("DELETE", group(name));
}

export function members(name, cursor = "") {
  return call("GET", `${group(name)}/members?${query({ cursor })}`, { needs: ["members"] });
}

export function apiKeys(cursor = "") {
  return call("GET", `/admin/api-keys?${query({ cursor })}`, { needs: ["api_keys"] });
}

export function revokeApiKey(id) {
  return call("DELETE", `/admin/api-keys/${encodeURIComponent(id)}`);
}

export function exportOf(id) {
  return file(`${user(id)}/export`, "application/json");
}

export function sendLastAgain(id) {
  return call("POST", `${user(id)}/send-again`);
}

// `filter`: destination, event, from_date, to_date.
export function events(filter, cursor = "") {
  return call("GET", `/admin/events?${query({ ...filter, cursor })}`, { needs: ["events"] });
}

// The same as a table. What looks like a formula the server has made text.
export function eventsAsCsv({ destination, ...filter }) {
  return file(`/audit/logs?${query({ email: destination, ...filter })}`, "text/csv");
}

export function messages(state, cursor = "") {
  return call("GET", `/admin/messages?${query({ state, cursor })}`, { needs: ["messages"] });
}

export function sendAgain(id) {
  return call("POST", `/admin/messages/${encodeURIComponent(id)}/send-again`);
}

const client = (id) => `/admin/clients/${encodeURIComponent(id)}`;

export function clients(cursor = "") {
  return call("GET", `/admin/clients?${query({ cursor })}`, { needs: ["clients"] });
}

export function createClient(fields) {
  return call("POST", "/admin/clients", { body: fields, needs: ["client_id"] });
}

export function enableClient(id) {
  return call("POST", `${client(id)}/enable`);
}

export function disableClient(id) {
  return call("POST", `${client(id)}/disable`);
}

export function rotateClientSecret(id) {
  return call("POST", `${client(id)}/rotate-secret`, { needs: ["client_secret"] });
}

export function deleteClient(id) {
  return call("DELETE", client(id));
}

const webhook = (id) => `/admin/webhooks/${encodeURIComponent(id)}`;

export function webhooks() {
  return call("GET", "/admin/webhooks", { needs: ["webhooks"] });
}

export function addWebhook(fields) {
  return call("POST", "/admin/webhooks", { body: fields, needs: ["secret"] });
}

export function testWebhook(id) {
  return call("POST", `${webhook(id)}/test`);
}

export function retryWebhook(id) {
  return call("POST", `${webhook(id)}/retry`);
}

export function rotateWebhookSecret(id) {
  return call("POST", `${webhook(id)}/rotate-secret`, { needs: ["secret"] });
}

export function removeWebhook(id) {
  return call("DELETE", webhook(id));
}

export function statistics(unit) {
  return call("GET", `/admin/statistics?${query({ by: unit })}`, { needs: ["periods"] });
}

export function health() {
  return call("GET", "/admin/health", { needs: ["checks"] });
}

// What `otpgate doctor` says.
export function findings() {
  return call("GET", "/admin/findings", { needs: ["findings"], patience: MAIL_SERVERS_MS });
}

export function sendTest(destination) {
  return call("POST", "/admin/test-message", { body: { destination }, needs: ["said"], patience: MAIL_SERVERS_MS });
}
