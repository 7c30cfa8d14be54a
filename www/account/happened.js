// Events of the audit trail in plain words, as a list.

import { t } from "../js/language.js";
import { dayAndTime, describeBrowser } from "../js/words.js";
import { isolated, make, time } from "./dom.js";

const words = {
  OTP_REQUESTED: () => t("A code was asked for"),
  OTP_SENT: () => t("A code was sent"),
  OTP_SEND_FAILED: () => t("A code could not be sent"),
  OTP_VERIFIED: () => t("The right code was entered"),
  OTP_FAILED: () => t("A wrong code was entered"),
  OTP_LOCKED: () => t("Too many wrong codes"),
  OTP_RATE_LIMITED: () => t("Too many codes were asked for"),
  NOTICE_SENT: () => t("A notice was sent"),
  NOTICE_SEND_FAILED: () => t("A notice could not be sent"),
  ADDRESS_CHANGED: () => t("The address was changed"),
  USER_REGISTERED: () => t("The account was made"),
  REGISTRATION_REFUSED: () => t("A registration was refused"),
  LOGIN_SUCCEEDED: () => t("Signed in"),
  LOGIN_FAILED: () => t("A sign-in was refused"),
  TOKEN_REFRESHED: () => t("A session went on"),
  TOKEN_REUSED: () => t("An old token came again, so the session was ended"),
  SESSION_REVOKED: () => t("A session was ended"),
  PASSWORD_RESET: () => t("The password was set by a code"),
  PASSWORD_CHANGED: () => t("The password was changed"),
  PROFILE_UPDATED: () => t("The profile was changed"),
  USER_DISABLED: () => t("The account was disabled"),
  USER_ENABLED: () => t("The account was enabled"),
  USER_DELETED: () => t("The account was deleted"),
  ROLE_CHANGED: () => t("The role was changed"),
  GROUP_JOINED: () => t("A group was joined"),
  GROUP_LEFT: () => t("A group was left"),
  GROUP_CREATED: () => t("A group was made"),
  GROUP_DELETED: () => t("A group was removed"),
  LIMITS_CLEARED: () => t("The limits were cleared"),
  MESSAGE_SENT_AGAIN: () => t("A message was sent again"),
  ACCOUNT_EXPORTED: () => t("All data was handed out"),
  TEST_MESSAGE_REQUESTED: () => t("A test message was asked for"),
  API_KEY_CREATED: () => t("An API key was made"),
  API_KEY_REVOKED: () => t("An API key was revoked"),
  PASSKEY_ADDED: () => t("A passkey was added"),
  PASSKEY_REMOVED: () => t("A passkey was removed"),
  AUTHENTICATOR_ADDED: () => t("An authenticator app was added"),
  AUTHENTICATOR_REMOVED: () => t("An authenticator app was removed"),
  RECOVERY_CODES_MADE: () => t("Recovery codes were made"),
  RECOVERY_CODE_USED: () => t("A recovery code was used"),
  FACTORS_RESET: () => t("An administrator removed the passkeys and apps"),
  APPLICATION_SIGNED_IN: () => t("An application signed in by this account"),
  CONSENT_GIVEN: () => t("An application was let in"),
  CONSENT_WITHDRAWN: () => t("An application was shut out"),
  CLIENT_CREATED: () => t("An application was registered"),
  CLIENT_CHANGED: () => t("An application was changed"),
  CLIENT_SECRET_ROTATED: () => t("An application got a new secret"),
  CLIENT_DISABLED: () => t("An application was disabled"),
  CLIENT_ENABLED: () => t("An application was enabled"),
  CLIENT_DELETED: () => t("An application was removed"),
  WEBHOOK_ADDED: () => t("A webhook was added"),
  WEBHOOK_REMOVED: () => t("A webhook was removed"),
  WEBHOOK_SECRET_ROTATED: () => t("A webhook got a new secret"),
  WEBHOOK_RETRIED: () => t("What waited for a webhook was sent again"),
  VERIFICATION_REQUESTED: () => t("An application asked for a code"),
  VERIFICATION_SUCCEEDED: () => t("An application's code was right"),
  VERIFICATION_FAILED: () => t("An application's code was wrong"),
};

export const events = Object.keys(words);

// What this page does not know yet keeps its name.
export function wordsOf(event) {
  return words[event]?.() ?? event;
}

export function rows(entries) {
  return entries.map(row);
}

function row(entry) {
  const from = [describeBrowser(entry.user_agent ?? ""), entry.ip_address].filter(Boolean).join(", ");
  const known = Object.entries(entry.metadata).map(([name, value]) => `${name}: ${value}`).join(", ");
  return make("li", {}, make("div", {},
    make("p", { class: "device" }, () => wordsOf(entry.event)),
    make("p", {}, time(new Date(entry.created_at), dayAndTime)),
    ...[entry.destination, from, known].filter(Boolean).map((text) => make("p", {}, isolated(text)))));
}
