// What can go wrong, and the sentence the visitor reads for it. `code` is the one of the problem document, or one of
// those that the page adds: NETWORK, TIMEOUT, BAD_ANSWER, COOKIE_LOST.

import { duration } from "./words.js";

export class ApiError extends Error {
  constructor(code, problem = {}) {
    super(code);
    this.code = code;
    this.status = problem.status ?? 0;
    this.detail = problem.detail;
    this.fields = problem.errors ?? [];
    this.attemptsRemaining = problem.attempts_remaining;
    this.retryAfter = problem.retry_after;
  }

  // No further guess at this code can succeed: only a new code helps.
  get endsTheCode() {
    const deadly = ["OTP_EXPIRED", "OTP_USED", "MAX_RETRIES_EXCEEDED", "COOKIE_LOST"];
    return deadly.includes(this.code) || this.attemptsRemaining === 0;
  }
}

export const notAnAddress = "Enter an e-mail address such as name@example.com, or a telephone number such as +49 30 123456.";
export const noCountryCode = "Begin the number with + and the country code, such as +49 30 123456.";
export const sessionOver = "Your session has ended. Please sign in again.";
export const needsHttps = "Nobody can sign in here over plain HTTP: this site must be served over HTTPS.";

const unusableInput = (error) => {
  const { field, message } = error.fields[0] ?? {};
  if (field === "otp") return "Enter the code from the message: letters and digits only.";
  return message && `This cannot be used: ${message}.`;
};

const sentences = {
  INVALID_OTP: (error) => {
    const left = error.attemptsRemaining;
    if (left === 0) return sentences.MAX_RETRIES_EXCEEDED(error);
    if (left === undefined) return "That code is not right. Use the one in the newest message.";
    return `That code is not right. You have ${left} ${left === 1 ? "attempt" : "attempts"} left.`;
  },
  OTP_EXPIRED: () => "This code has expired. Ask for a new one.",
  OTP_USED: () => "This code was already used. Ask for a new one.",
  MAX_RETRIES_EXCEEDED: (error) =>
    `Too many wrong codes, so this one no longer works. You can ask for a new one${later(error)}.`,
  RATE_LIMIT: (error) => `Too many requests. Please try again${later(error) || " later"}.`,
  VALIDATION_ERROR: unusableInput,
  MISSING_FIELDS: unusableInput,
  ACCOUNT_DISABLED: () => "This account is disabled. Please ask the people who run this site.",
  SEND_FAILED: () => "The message could not be sent. Check where it should go, or try again in a minute.",
  UNAVAILABLE: (error) => `The service is not available at the moment. Please try again${later(error) || " in a minute"}.`,
  NETWORK: () => "The server could not be reached. Check your connection and try again.",
  TIMEOUT: () => "The server took too long to answer. Please try again.",
  BAD_ANSWER: () => "The server gave an answer that this page does not understand. Please try again later.",
  COOKIE_LOST: () => location.protocol === "https:"
    ? "Your browser did not keep the sign-in. Allow cookies for this site and ask for a new code."
    : needsHttps,
  FORBIDDEN: () => "The server refused this. Open the site at its usual address and try again.",
};

export function sentence(error) {
  return sentences[error.code]?.(error) || error.detail || "Something went wrong. Please try again.";
}

function later(error) {
  return error.retryAfter > 0 ? ` in ${duration(error.retryAfter)}` : "";
}
