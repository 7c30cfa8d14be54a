// Times, durations and browsers in words.

// The page speaks English, so dates do too; the visitor's own English where there is one. Some systems have tags there
// that Intl refuses, such as en-US@posix.
const language = (navigator.languages ?? []).find((tag) => /^en\b/i.test(tag) && isKnown(tag)) ?? "en-GB";
const timeOnly = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" });
const dateOnly = new Intl.DateTimeFormat(language, { day: "numeric", month: "long", year: "numeric" });

function isKnown(tag) {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(tag).length > 0;
  } catch {
    return false;
  }
}

// Seconds, rounded up so that nobody comes back too early: "45 seconds", "12 minutes", "3 hours".
export function duration(seconds) {
  const [count, unit] = largestUnit(Math.ceil(seconds));
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

// The same for a countdown: "28 s", "12 min", "3 h".
export function shortDuration(seconds) {
  const [count, unit] = largestUnit(Math.ceil(seconds));
  return `${count} ${{ second: "s", minute: "min", hour: "h", day: "d" }[unit]}`;
}

export function clockTime(date) {
  return timeOnly.format(date);
}

export function dayAndTime(date) {
  const days = Math.round((startOfDay(new Date()) - startOfDay(date)) / 86_400_000);
  const day = days === 0 ? "today" : days === 1 ? "yesterday" : `on ${dateOnly.format(date)}`;
  return `${day} at ${timeOnly.format(date)}`;
}

// "Firefox on Windows", from a User-Agent header; null where it tells nothing.
export function describeBrowser(userAgent = "") {
  const browser = firstMatch(userAgent, [
    [/\bEdg(e|A|iOS)?\//, "Edge"], [/\bOPR\//, "Opera"], [/\bSamsungBrowser\//, "Samsung Internet"],
    [/\b(Firefox|FxiOS)\//, "Firefox"], [/\b(\w*Chrome|CriOS|Chromium)\//, "Chrome"], [/\bSafari\//, "Safari"],
  ]);
  const system = firstMatch(userAgent, [
    [/\bWindows\b/, "Windows"], [/\bAndroid\b/, "Android"], [/\biPhone\b/, "iPhone"], [/\biPad\b/, "iPad"],
    [/\bMac OS X\b/, "macOS"], [/\bCrOS\b/, "ChromeOS"], [/\bLinux\b/, "Linux"],
  ]);
  return browser && system ? `${browser} on ${system}` : browser ?? system;
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
