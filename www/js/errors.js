// What can go wrong, and the sentence the visitor reads for it. `code` is the one of the problem document, or one of
// those that the page adds: NETWORK, TIMEOUT, BAD_ANSWER, COOKIE_LOST, PASSKEY_NOT_USED, PASSKEY_NOT_MADE, PASSKEY_THERE.

import { t } from "./language.js";
import { fromNow } from "./words.js";

export class ApiError extends Error {
  constructor(code, problem = {}) {
    super(code);
    this.code = code;
    this.status = problem.status ?? 0;
    this.detail = problem.detail;
    this.fields = problem.errors ?? [];
    this.attemptsRemaining = problem.attempts_remaining;
    this.retryAfter = problem.retry_after;
    this.otp = problem.otp; // of OTHER_BROWSER
    this.challenge = problem.challenge; // of CHALLENGE_REQUIRED and CHALLENGE_FAILED
    this.may = problem.may; // of INSUFFICIENT_USER_AUTHENTICATION: all that the session is good for
    // Of INSUFFICIENT_USER_AUTHENTICATION: the code was right, and these are the ways to show the rest.
    this.secondStep = problem.second_step_token && { token: problem.second_step_token, ways: problem.second_step.split(" ") };
  }

  // No further guess at this code can succeed: only a new code helps.
  get endsTheCode() {
    const deadly = ["OTP_EXPIRED", "OTP_USED", "MAX_RETRIES_EXCEEDED", "COOKIE_LOST"];
    return deadly.includes(this.code) || this.attemptsRemaining === 0;
  }
}

// No number is asked for where none is taken.
export const nothingEntered = (hasSms) => hasSms ? t("Enter your e-mail address or telephone number.") : t("Enter your e-mail address.");
export const notAnAddress = (hasSms) => hasSms
  ? t("Enter an e-mail address such as name@example.com, or a telephone number such as +49 30 123456.")
  : t("Enter an e-mail address such as name@example.com.");
export const noCountryCode = () => t("Begin the number with + and the country code, such as +49 30 123456.");
export const sessionOver = () => t("Your session has ended. Please sign in again.");
export const wantsPasskey = () =>
  t("The page that you want asks for a passkey. If you have none yet, sign in with a code and add one.");
export const needsHttps = () => t("Nobody can sign in here over plain HTTP: this site must be served over HTTPS.");

const unusableInput = (error) => {
  const { field, message } = error.fields[0] ?? {};
  if (field === "otp") return t("Enter the code from the message: letters and digits only.");
  return message && t("This cannot be used: {reason}.", { reason: message });
};

const sentences = {
  INVALID_OTP: (error) => {
    const left = error.attemptsRemaining;
    if (left === 0) return sentences.MAX_RETRIES_EXCEEDED(error);
    if (left === undefined) return t("That code is not right. Use the one in the newest message.");
    return t("That code is not right. You have {count} attempts left.", { count: left });
  },
  OTP_EXPIRED: () => t("This code has expired. Ask for a new one."),
  OTP_USED: () => t("This code was already used. Ask for a new one."),
  MAX_RETRIES_EXCEEDED: ({ retryAfter }) => retryAfter > 0
    ? t("Too many wrong codes, so this one no longer works. You can ask for a new one {wait}.", { wait: fromNow(retryAfter) })
    : t("Too many wrong codes, so this one no longer works. You can ask for a new one."),
  RATE_LIMIT: ({ retryAfter }) => retryAfter > 0
    ? t("Too many requests. Please try again {wait}.", { wait: fromNow(retryAfter) })
    : t("Too many requests. Please try again later."),
  VALIDATION_ERROR: unusableInput,
  MISSING_FIELDS: unusableInput,
  ACCOUNT_DISABLED: () => t("This account is disabled. Please ask the people who run this site."),
  SEND_FAILED: () => t("The message could not be sent. Check where it should go, or try again in a minute."),
  UNAVAILABLE: ({ retryAfter }) =>
    t("The service is not available at the moment. Please try again {wait}.", { wait: fromNow(retryAfter || 60) }),
  NETWORK: () => t("The server could not be reached. Check your connection and try again."),
  TIMEOUT: () => t("The server took too long to answer. Please try again."),
  BAD_ANSWER: () => t("The server gave an answer that this page does not understand. Please try again later."),
  COOKIE_LOST: () => location.protocol === "https:"
    ? t("Your browser did not keep the sign-in. Allow cookies for this site and ask for a new code.")
    : needsHttps(),
  PASSKEY_NOT_USED: () => t("No passkey was used."),
  PASSKEY_NOT_MADE: () => t("No passkey was added. You can go on signing in with codes."),
  PASSKEY_THERE: () => t("This device has a passkey for this account already."),
  FORBIDDEN: () => t("The server refused this. Open the site at its usual address and try again."),
};

export function sentence(error) {
  return sentences[error.code]?.(error) || error.detail || t("Something went wrong. Please try again.");
}
