// Why somebody cannot sign in, as far as it shows: of what GET /api/v1/admin/users/{id} answers, the likeliest cause. Pure, so
// that tests ask it without a browser; the words are those of cause_words.js.

const RECENT_MS = 24 * 3600 * 1000;
// The first of them that is spent is told. A device that the account knows has its own, which say little of others.
const COUNTED = ["guesses", "requests", "second_steps", "passwords", "recovery_guesses", "passkey_sign_ins",
  "guesses_by_devices", "requests_by_devices", "second_steps_by_devices", "passwords_by_devices"];

// {kind, ...}: what is true of this one alone stands first, what follows from something else behind it. A mail server that
// refuses everything makes people ask until their budget is spent, and wrong codes spend it too.
export function causeOf(person, now) {
  const { user, messages, events } = person;
  const signedIn = events.find(({ event }) => event === "LOGIN_SUCCEEDED");
  const since = events.slice(0, signedIn ? events.indexOf(signedIn) : events.length); // the newest first, as the answer has them
  const ago = (entry) => now - Date.parse(entry.created_at);
  if (user.status === "disabled") {
    return { kind: "disabled", at: events.find(({ event }) => event === "USER_DISABLED")?.created_at ?? null };
  }
  const later = messages.filter((message) => !signedIn || Date.parse(message.created_at) >= Date.parse(signedIn.created_at));
  const undelivered = whyUndelivered(later, since);
  if (undelivered) return undelivered;
  const spent = COUNTED.map((counted) => person.limits.find((limit) => limit.counted === counted && limit.remaining === 0))
    .find((limit) => limit && Date.parse(limit.next_free_at) > now);
  if (spent) return { kind: "spent", counted: spent.counted, limit: spent.limit, until: spent.next_free_at };
  const last = since.find(({ event }) => ["OTP_SENT", "OTP_VERIFIED", "OTP_FAILED", "OTP_LOCKED", "LOGIN_FAILED"].includes(event));
  if (person.has_factor && ["OTP_VERIFIED", "LOGIN_FAILED"].includes(last?.event)) return { kind: "factor", at: last.created_at };
  if (["OTP_FAILED", "OTP_LOCKED"].includes(last?.event)) return { kind: "wrong", at: last.created_at };
  if (last?.event === "OTP_SENT" && ago(last) < RECENT_MS) {
    return { kind: "delivered", at: last.created_at, destination: last.destination };
  }
  if (last?.event === "LOGIN_FAILED") return { kind: "refused", at: last.created_at };
  if (signedIn && ago(signedIn) < RECENT_MS) return { kind: "well", at: signedIn.created_at };
  return { kind: "quiet", at: user.last_login_at };
}

// Of the newest code: what is left of it in the outbox, or what its end was.
function whyUndelivered(messages, events) {
  const message = messages.find(({ purpose }) => purpose !== null);
  const ended = events.find((each) => ["OTP_SENT", "OTP_SEND_FAILED"].includes(each.event) && !isOvertaken(each));
  const isNewest = message && (!ended || Date.parse(message.created_at) >= Date.parse(ended.created_at) || ended.event === "OTP_SEND_FAILED");
  if (isNewest && message.state === "dead") {
    return { kind: "undeliverable", channel: message.channel, destination: message.destination, reason: message.last_error, at: message.created_at };
  }
  if (isNewest && message.attempts > 0) {
    return { kind: "retrying", channel: message.channel, destination: message.destination, reason: message.last_error, at: message.created_at };
  }
  if (ended?.event !== "OTP_SEND_FAILED") return null;
  const channel = ended.destination?.includes("@") ? "email" : "sms";
  return { kind: "undeliverable", channel, destination: ended.destination, reason: ended.metadata.reason ?? null, at: ended.created_at };
}

// Not sent, because a newer one took its place or it was used already: "its code is void, ...".
function isOvertaken({ metadata }) {
  return metadata.reason?.startsWith("its code ") ?? false;
}
