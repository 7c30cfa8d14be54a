// The signed-in session of this tab: its tokens, their renewal, and its end.
//
// The access token (15 minutes) lives in this module only. The refresh token lies in sessionStorage, because without it
// a reload would sign the visitor out. A script on this origin could read it there; the Content-Security-Policy lets
// none but our own run, and the storage ends with the tab. A cookie session that no script can read replaces this later.

import * as api from "./api.js";
import { ApiError } from "./errors.js";
import { forget, load, save } from "./storage.js";

const NAME = "otpgate.session";
const RENEW_BEFORE_MS = 60_000;
const RETRY_MS = 15_000;

// A duplicated tab starts with a copy of the refresh token, and a token shown again after its rotation ends the session.
// So tabs of one session tell each other the new one.
const tabs = "BroadcastChannel" in globalThis ? new BroadcastChannel(NAME) : null;

let stored = load(NAME); // { session_id, refresh, is_new_user, signed_in_at }
let access = null;
let renewAt = 0;
let timer = 0;
let renewal = null;
let whenOver = () => {};

export function start(answer) {
  stored = { session_id: answer.session_id, is_new_user: answer.is_new_user === true, signed_in_at: Date.now() };
  keep(answer);
}

// What is known without asking the server, or null where nobody is signed in.
export function current() {
  return stored?.refresh ? stored : null;
}

// `callback` runs when the session ended and the visitor did not ask for it here.
export function onOver(callback) {
  whenOver = callback;
}

// Runs `call` with an access token that is good; renews it before, or once after a 401. Rejects with ApiError.
export async function withAccess(call) {
  if (!access || Date.now() >= renewAt) await renew();
  try {
    return await call(access);
  } catch (error) {
    if (error.status !== 401 || !current()) throw error;
  }
  await renew();
  return call(access);
}

// Signs out here in any case. Rejects where the server could not be told, so that the session lives on there.
export async function signOut() {
  try {
    await withAccess(api.logout);
    tabs?.postMessage({ session_id: stored?.session_id, over: true });
  } catch (error) {
    if (error.status !== 401 && current()) throw error;
  } finally {
    drop();
  }
}

function renew() {
  renewal ??= renewOnce().finally(() => { renewal = null; });
  return renewal;
}

async function renewOnce() {
  const mine = stored;
  if (!mine) throw new ApiError("UNAUTHENTICATED", { status: 401 });
  try {
    const answer = await api.refreshTokens(mine.refresh);
    if (stored !== mine) return; // Signed out meanwhile.
    keep(answer);
    tabs?.postMessage({ session_id: stored.session_id, refresh: stored.refresh });
  } catch (error) {
    if (error.endsTheSession && stored === mine) over();
    throw error;
  }
}

function keep(answer) {
  access = answer.access;
  stored.refresh = answer.refresh;
  stored.session_id = answer.session_id ?? stored.session_id;
  save(NAME, stored);
  const life = 1000 * (answer.expires_in ?? 900);
  renewAt = Date.now() + Math.max(life - RENEW_BEFORE_MS, life / 2);
  schedule(renewAt - Date.now());
}

function schedule(delay) {
  clearTimeout(timer);
  timer = setTimeout(renewQuietly, delay);
}

async function renewQuietly() {
  try {
    await renew();
  } catch {
    if (current()) schedule(RETRY_MS);
  }
}

function drop() {
  clearTimeout(timer);
  stored = access = null;
  forget(NAME);
}

function over() {
  drop();
  whenOver();
}

tabs?.addEventListener("message", ({ data }) => {
  if (!stored || data.session_id !== stored.session_id) return;
  if (data.over) return over();
  stored.refresh = data.refresh;
  save(NAME, stored);
});

// A laptop that slept missed its timer.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && access && Date.now() >= renewAt) renewQuietly();
});
