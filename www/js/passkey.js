// Passkeys (WebAuthn): signing in by one that the browser offers in the address field or that the visitor asks for, and
// making one. Whatever goes wrong here, a code can be sent: nothing of the page waits for it.

import * as api from "./api.js";
import { ApiError } from "./errors.js";
import * as site from "./site.js";

const REFRESH_MS = 240_000; // A challenge is good for five minutes.

let waiting = null; // The browser's offer in the field, as its AbortController.
let timer;

// Where the browser does not read the server's options itself, codes do.
export function isPossible() {
  return site.hasPasskeys() && isSecureContext && "PublicKeyCredential" in window
    && "parseRequestOptionsFromJSON" in PublicKeyCredential && "parseCreationOptionsFromJSON" in PublicKeyCredential;
}

// Lets the browser offer passkeys where the address is typed. `onChosen(answer)` runs when the visitor has taken one,
// with a promise of what it said.
export async function offer(onChosen) {
  rest();
  if (!isPossible() || !await PublicKeyCredential.isConditionalMediationAvailable?.()) return;
  const abort = waiting = new AbortController();
  try {
    const publicKey = await optionsFor(await api.passkeyOptions());
    if (abort.signal.aborted) return;
    timer = setTimeout(() => offer(onChosen), REFRESH_MS);
    const credential = await navigator.credentials.get({ mediation: "conditional", publicKey, signal: abort.signal });
    if (!abort.signal.aborted) onChosen(credential.toJSON());
  } catch {
    // None there, aborted or not to be had: nobody has asked for it.
  }
}

// A browser answers one such question at a time, SMS codes among them.
export function rest() {
  clearTimeout(timer);
  waiting?.abort();
  waiting = null;
}

// What the visitor's passkey says; rejects with PASSKEY_NOT_USED where it says nothing.
export async function ask() {
  rest();
  const publicKey = await optionsFor(await api.passkeyOptions());
  try {
    return (await navigator.credentials.get({ publicKey })).toJSON();
  } catch {
    throw new ApiError("PASSKEY_NOT_USED");
  }
}

// What is not known here any more is not to be offered again.
export async function disown(credential) {
  try {
    const { rpId } = (await api.passkeyOptions()).publicKey;
    await PublicKeyCredential.signalUnknownCredential?.({ rpId, credentialId: credential.id });
  } catch {
    // It is offered again, and refused again.
  }
}

// Makes one and has the server keep it; resolves to it.
export async function make(name) {
  const { publicKey } = await api.passkeyInvitation();
  const made = await create(PublicKeyCredential.parseCreationOptionsFromJSON(publicKey));
  return api.addPasskey(made.toJSON(), name);
}

async function create(publicKey) {
  try {
    return await navigator.credentials.create({ publicKey });
  } catch (error) {
    throw new ApiError(error.name === "InvalidStateError" ? "PASSKEY_THERE" : "PASSKEY_NOT_MADE");
  }
}

async function optionsFor({ publicKey }) {
  return PublicKeyCredential.parseRequestOptionsFromJSON(publicKey);
}
