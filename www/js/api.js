// The routes of otpgate that this page uses, one function a route. Each returns the answer's fields and throws
// ApiError, whatever went wrong: refused, unreachable, too slow, or an answer that was not otpgate's.

import { ApiError } from "./errors.js";

const TIMEOUT_MS = 15_000;

export function requestCode(destination) {
  return call("POST", "/auth/otp/request", {
    body: { destination, purpose: "login", locale: navigator.language || undefined },
    needs: ["otp_id"],
  });
}

export function verifyCode(otpId, otp, deviceName) {
  return call("POST", "/auth/otp/verify", {
    body: { otp_id: otpId, otp, platform: "web", device_name: deviceName },
    needs: ["access", "refresh", "user"],
  });
}

export function refreshTokens(refresh) {
  return call("POST", "/auth/token/refresh", { body: { refresh }, needs: ["access", "refresh"] });
}

export function me(access) {
  return call("GET", "/auth/me", { access, needs: ["user"] });
}

export function sessions(access) {
  return call("GET", "/auth/sessions", { access, needs: ["sessions"] });
}

export function endSession(access, id) {
  return call("DELETE", `/auth/sessions/${encodeURIComponent(id)}`, { access });
}

export function logout(access) {
  return call("POST", "/auth/logout", { access });
}

async function call(method, path, { access, body, needs = [] }) {
  const headers = { Accept: "application/json" };
  if (access) headers.Authorization = `Bearer ${access}`;
  if (body) headers["Content-Type"] = "application/json";

  const { response, text } = await send(`/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  const answer = parseObject(text);
  if (!response.ok) throw refusal(response, answer);
  if (needs.length && !(answer && needs.every((name) => answer[name]))) throw new ApiError("BAD_ANSWER");
  return answer;
}

// The time limit covers the body as well: a server that stops in the middle of it is as silent as one that never began.
async function send(url, options) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(url, {
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
