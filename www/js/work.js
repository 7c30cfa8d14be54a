// The proof of work that the server asks for where there are many requests, in the form of ALTCHA: the number is found
// whose hash, behind the salt, is the challenge. Web Crypto hashes beside the page's own thread, so that the page goes on
// answering, and it needs no worker, which the policy of this page would not let it make.

import { ApiError } from "./errors.js";

const AT_ONCE = 512;
const encoder = new TextEncoder();

// What is sent with the request that was refused.
export async function solve({ algorithm, challenge, maxnumber, salt, signature }) {
  if (algorithm !== "SHA-256" || !crypto.subtle) throw new ApiError("BAD_ANSWER");
  const begin = Number.parseInt(challenge.slice(0, 8), 16);
  for (let first = 0; first <= maxnumber; first += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, maxnumber - first + 1) }, (_, i) => first + i);
    const hashes = await Promise.all(numbers.map((number) => crypto.subtle.digest("SHA-256", encoder.encode(salt + number))));
    const found = hashes.findIndex((hash) => new DataView(hash).getUint32(0) === begin && hex(hash) === challenge);
    if (found >= 0) return { altcha: btoa(JSON.stringify({ algorithm, challenge, number: numbers[found], salt, signature })) };
  }
  throw new ApiError("BAD_ANSWER");
}

function hex(bytes) {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
