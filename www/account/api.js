// The routes of the account's owner that the sign-in does not need: see api.js there.

import { call, file } from "../js/api.js";

const query = (values) => new URLSearchParams(Object.entries(values).filter(([, value]) => value)).toString();

// `fields`: display_name, first_name, last_name, username; what is absent stays.
export function updateProfile(fields) {
  return call("PATCH", "/auth/profile", { body: fields, needs: ["user"] });
}

export function requestAddress(destination) {
  return call("POST", "/auth/address-change/request", { body: { destination }, needs: ["otp_id"] });
}

export function verifyAddress(id, otp) {
  return call("POST", "/auth/address-change/verify", { body: { otp_id: id, otp }, needs: ["user"] });
}

export function changePassword(current, password) {
  return call("POST", "/auth/password-change", { body: { current_password: current, new_password: password } });
}

export function requestReset(destination) {
  return call("POST", "/auth/forgot-password", { body: { destination }, needs: ["otp_id"] });
}

export function resetPassword(id, otp, password) {
  return call("POST", "/auth/password-reset", { body: { otp_id: id, otp, password } });
}

export function endEverywhere() {
  return call("POST", "/auth/logout-all");
}

export function keys() {
  return call("GET", "/api-keys", { needs: ["api_keys"] });
}

export function makeKey(fields) {
  return call("POST", "/api-keys", { body: fields, needs: ["key"] });
}

export function revokeKey(id) {
  return call("DELETE", `/api-keys/${encodeURIComponent(id)}`);
}

// An administrator's log is everybody's; the own events are found as anybody's are.
export async function ownEvents({ id, role }, { page = 1, cursor = "" } = {}) {
  if (role === "admin") {
    const { events, next_cursor: next } = await call("GET", `/admin/events?${query({ user: id, cursor })}`, { needs: ["events"] });
    return { events, next: next && { cursor: next } };
  }
  const { results, next } = await call("GET", `/audit/logs?${query({ page, page_size: 50 })}`, { needs: ["results"] });
  return { events: results, next: next && { page: page + 1 } };
}

export function applications() {
  return call("GET", "/auth/me/applications", { needs: ["applications"] });
}

export function takeBack(id) {
  return call("DELETE", `/auth/me/applications/${encodeURIComponent(id)}`);
}

export function exportAll() {
  return file("/auth/me/export", "application/json");
}

export function deleteAll() {
  return call("DELETE", "/auth/me");
}
