// The routes of otpgate that this page uses, one function a route. Each returns the answer's fields and throws
// ApiError, whatever went wrong: refused, unreachable, too slow, or an answer that was not otpgate's.

import { ApiError } from "./errors.js";
import { header, wish } from "./language.js";

const TIMEOUT_MS = 15_000;
// Beside the pages, wherever they are.
const ROOT = new URL("../api/v1", import.meta.url).href;

// Every request carries the session's cookie; what changes something needs this token beside it, which a foreign page
// cannot learn. It comes with the sign-in and with me(), and is kept nowhere else.
let csrfToken = null;
let language = ""; // of the last answer
let wasTooLittle = false;

// In whose language the server has answered, where it said: "de".
export function answeredIn() {
  return language;
}

// Whether something was refused here because it takes more than the sign-in had shown.
export function wantedMore() {
  return wasTooLittle;
}

// `origin` is where the visitor came from, by ?return_to=; null where nobody sent him here.
export function page(origin) {
  return call("GET", origin === null ? "/page" : `/page?${new URLSearchParams({ return_to: origin })}`);
}

// Notices tell times as this visitor's clocks show them. A browser that hides where it is says UTC.
function timeZone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function requestCode(destination) {
  return call("POST", "/auth/otp/request", {
    body: { destination, purpose: "login", locale: wish() ?? undefined },
    needs: ["otp_id"],
  });
}

// By the id of its request, or where that is not known by the address it went to. `secondStep`: "always", where a device
// that its owner trusts does not stand for it.
export function verifyCode({ otp_id, destination }, otp, secondStep, deviceName) {
  return call("POST", "/auth/otp/verify", {
    body: { ...(otp_id ? { otp_id } : { destination }), otp, second_step: secondStep, platform: "web", device_name: deviceName, time_zone: timeZone(), session: "cookie" },
    needs: ["user"],
  });
}

// By the link of a message; with the address that it went to, where this browser did not ask for it.
export function verifyLink({ link, destination }, secondStep, deviceName) {
  return call("POST", "/auth/otp/link", {
    body: { link, destination, second_step: secondStep, platform: "web", device_name: deviceName, time_zone: timeZone(), session: "cookie" },
    needs: ["user"],
  });
}

// Forms of JSON that the browser reads and writes itself: WebAuthn.
export function passkeyOptions() {
  return call("POST", "/auth/passkey/options", { needs: ["publicKey"] });
}

export function verifyPasskey(credential, deviceName) {
  return call("POST", "/auth/passkey", {
    body: { credential, platform: "web", device_name: deviceName, time_zone: timeZone(), session: "cookie" },
    needs: ["user"],
  });
}

export function passkeys() {
  return call("GET", "/auth/passkeys", { needs: ["passkeys"] });
}

export function passkeyInvitation() {
  return call("POST", "/auth/passkeys/register/options", { needs: ["publicKey"] });
}

export function addPasskey(credential, name) {
  return call("POST", "/auth/passkeys/register", { body: { credential, name }, needs: ["id"] });
}

export function renamePasskey(id, name) {
  return call("PATCH", `/auth/passkeys/${encodeURIComponent(id)}`, { body: { name } });
}

export function removePasskey(id) {
  return call("DELETE", `/auth/passkeys/${encodeURIComponent(id)}`);
}

// {otp} of an authenticator app, {recovery_code} or {add_factor}, by the token of a right code of ours.
export function verifySecondStep(token, shown, deviceName) {
  return call("POST", "/auth/second-step", {
    body: { second_step_token: token, ...shown, platform: "web", device_name: deviceName, time_zone: timeZone(), session: "cookie" },
    needs: ["user"],
  });
}

export function apps() {
  return call("GET", "/auth/totp", { needs: ["authenticators"] });
}

export function appInvitation() {
  return call("POST", "/auth/totp/options", { needs: ["token", "secret", "qr"] });
}

export function addApp(token, otp, name) {
  return call("POST", "/auth/totp", { body: { token, otp, name }, needs: ["id"] });
}

export function recovery() {
  return call("GET", "/auth/recovery-codes");
}

export function makeRecoveryCodes() {
  return call("POST", "/auth/recovery-codes", { needs: ["codes"] });
}

export function confirmRecoveryCodes(code) {
  return call("POST", "/auth/recovery-codes/confirm", { body: { code } });
}

export function removeApp(id) {
  return call("DELETE", `/auth/totp/${encodeURIComponent(id)}`);
}

export function me() {
  return call("GET", "/auth/me", { needs: ["user"] });
}

export function setLocale(locale) {
  return call("PATCH", "/auth/profile", { body: { locale } });
}

export function sessions() {
  return call("GET", "/auth/sessions", { needs: ["sessions"] });
}

export function endSession(id) {
  return call("DELETE", `/auth/sessions/${encodeURIComponent(id)}`);
}

export function logout() {
  return call("POST", "/auth/logout");
}

// Where there are many requests the server wants a proof of work, or a check of the visitor, once for each. Also for the pages
// behind the sign-in, which have routes of their own.
export async function call(method, path, options = {}) {
  try {
    return await ask(method, path, options);
  } catch (error) {
    if (error.code !== "CHALLENGE_REQUIRED") throw error;
    const { solve } = error.challenge.service ? await import("./human.js") : await import("./work.js");
    const solution = await solve(error.challenge);
    if (!solution) throw error;
    return ask(method, path, { ...options, body: { ...options.body, ...solution } });
  }
}

async function ask(method, path, { body, needs = [], patience }) {
  const headers = { Accept: "application/json" };
  if (csrfToken && method !== "GET") headers["X-CSRF-Token"] = csrfToken;
  if (body) headers["Content-Type"] = "application/json";
  const languages = header();
  if (languages) headers["Accept-Language"] = languages;

  const { response, text } = await send(path, { method, headers, body: body && JSON.stringify(body) }, patience);
  const answer = parseObject(text);
  language = response.headers.get("Content-Language") ?? language;
  wasTooLittle ||= answer?.code === "INSUFFICIENT_USER_AUTHENTICATION" && !answer.second_step_token && !answer.may;
  csrfToken = response.headers.get("X-CSRF-Token") ?? answer?.csrf_token ?? csrfToken;
  if (!response.ok) throw refusal(response, answer);
  if (needs.length && !(answer && needs.every((name) => answer[name]))) throw new ApiError("BAD_ANSWER");
  return answer;
}

// What is to be kept as a file, as its text.
export async function file(path, type) {
  const { response, text } = await send(path, { method: "GET", headers: { Accept: type } });
  if (!response.ok) throw refusal(response, parseObject(text));
  return text;
}

// The time limit covers the body as well: a server that stops in the middle of it is as silent as one that never began.
async function send(path, options, patience = TIMEOUT_MS) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), patience);
  try {
    const response = await fetch(`${ROOT}${path}`, {
      ...options, signal: abort.signal, cache: "no-store", credentials: "same-origin", redirect: "error",
    });
    return { response, text: await response.text() };
  } catch {
    throw new ApiError(abort.signal.aborted ? "TIMEOUT" : "NETWORK");
  } finally {
    clearTimeout(timer);
  }
}

function refusal(response, problem) {
  if (problem?.code) return new ApiError(problem.code, { ...problem, status: response.status });
  // Not otpgate's words but the web server's own page: only the status says something.
  const code = response.status === 429 ? "RATE_LIMIT" : response.status >= 500 ? "UNAVAILABLE" : "BAD_ANSWER";
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return new ApiError(code, { status: response.status, retry_after: seconds || undefined });
}

function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}
