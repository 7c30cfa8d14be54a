// Times, durations and browsers in words.

import { intl, t } from "./language.js";

// Seconds from now, rounded up so that nobody comes back too early: "in 45 seconds", "in 12 minutes", "in 3 hours".
export function fromNow(seconds) {
  return intl().relative.format(...largestUnit(Math.ceil(seconds)));
}

// A countdown: "28 sec", "12 min", "3 hr".
export function shortDuration(seconds) {
  const [count, unit] = largestUnit(Math.ceil(seconds));
  return intl().short(unit).format(count);
}

export function clockTime(date) {
  return intl().time.format(date);
}

// "today at 14:05"
export function dayAndTime(date) {
  const days = Math.round((startOfDay(new Date()) - startOfDay(date)) / 86_400_000);
  const day = days === 0 || days === 1 ? intl().day.format(-days, "day") : intl().date.format(date);
  return t("{day} at {time}", { day, time: clockTime(date) });
}

// "Firefox on Windows", from a User-Agent header; null where it tells nothing.
export function describeBrowser(userAgent) {
  const [browser, system] = namesOf(userAgent);
  return browser && system ? t("{browser} on {system}", { browser, system }) : browser ?? system;
}

// The same in English, for the session's list and the notices, whose language is not the page's to know.
export function nameOfThisBrowser() {
  const names = namesOf(navigator.userAgent).filter(Boolean);
  return names.length ? names.join(" on ") : undefined;
}

function namesOf(userAgent = "") {
  const browser = firstMatch(userAgent, [
    [/\bEdg(e|A|iOS)?\//, "Edge"], [/\bOPR\//, "Opera"], [/\bSamsungBrowser\//, "Samsung Internet"],
    [/\b(Firefox|FxiOS)\//, "Firefox"], [/\b(\w*Chrome|CriOS|Chromium)\//, "Chrome"], [/\bSafari\//, "Safari"],
  ]);
  const system = firstMatch(userAgent, [
    [/\bWindows\b/, "Windows"], [/\bAndroid\b/, "Android"], [/\biPhone\b/, "iPhone"], [/\biPad\b/, "iPad"],
    [/\bMac OS X\b/, "macOS"], [/\bCrOS\b/, "ChromeOS"], [/\bLinux\b/, "Linux"],
  ]);
  return [browser, system];
}

function largestUnit(seconds) {
  if (seconds < 100) return [seconds, "second"];
  if (seconds < 100 * 60) return [Math.ceil(seconds / 60), "minute"];
  if (seconds < 48 * 3600) return [Math.ceil(seconds / 3600), "hour"];
  return [Math.ceil(seconds / 86_400), "day"];
}

function startOfDay(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate());
}

function firstMatch(text, table) {
  return table.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}
