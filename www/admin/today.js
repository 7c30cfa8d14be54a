// How often what happened, by hour or by day: a chart of each, and its numbers as a table behind it.

import { time } from "../account/dom.js";
import * as door from "../account/door.js";
import { parts, t } from "../js/language.js";
import { clear, element, put } from "../js/views.js";
import { clockTime, dayAndTime } from "../js/words.js";
import * as api from "./api.js";
import { chart } from "./chart.js";
import { within } from "./delays.js";

const STEP_MS = { hour: 3_600_000, day: 86_400_000 };
const FEWEST = 12; // periods of a chart

const alert = element("today-error");
const unit = element("today-unit");

const sum = (names) => (events) => names.reduce((all, name) => all + (events[name] ?? 0), 0);

// Each line of a chart: its words, and what it makes of the events of a period.
const charts = [
  { title: () => t("Sign-ins"), series: [{ words: () => t("signed in"), of: sum(["LOGIN_SUCCEEDED"]) }] },
  {
    title: () => t("Refusals"),
    series: [
      { words: () => t("sign-ins refused"), of: sum(["LOGIN_FAILED"]) },
      { words: () => t("wrong codes"), of: sum(["OTP_FAILED"]) },
      { words: () => t("limits reached"), of: sum(["OTP_RATE_LIMITED", "OTP_LOCKED"]) },
    ],
  },
  {
    title: () => t("Codes"),
    series: [
      { words: () => t("sent"), of: sum(["OTP_SENT"]) },
      { words: () => t("used"), of: sum(["OTP_VERIFIED"]) },
      { words: () => t("not sent"), of: sum(["OTP_SEND_FAILED"]) },
    ],
  },
  {
    title: () => t("Seconds until a code was sent"),
    series: [
      { words: () => t("half of them within"), of: (events) => within(events, 0.5) },
      { words: () => t("95 of 100 within"), of: (events) => within(events, 0.95) },
    ],
  },
];

export function prepare() {
  unit.addEventListener("change", open);
}

export async function open() {
  clear(alert);
  const by = unit.value;
  try {
    const { periods: counted, until } = await api.statistics(by);
    const periods = withQuietOnes(counted, STEP_MS[by]);
    const names = periods.map(({ begin }) => new Date(begin));
    const nameOf = by === "hour" ? dayAndTime : (date) => date.toLocaleDateString(document.documentElement.lang, { timeZone: "UTC" });
    const shortOf = by === "hour" ? clockTime : nameOf;
    element("today").replaceChildren(...charts.map(({ title, series }) => chart({
      title,
      names,
      nameOf,
      shortOf,
      series: series.map(({ words, of }) => ({ words, values: periods.map(({ events }) => of(events)) })),
    })));
    element("today-none").hidden = periods.length > 0;
    const end = time(new Date(until), dayAndTime);
    put(element("today-until"), () => parts("Counted until {time}.", { time: end }));
  } catch (error) {
    door.tell(alert, error);
  }
}

// Periods without events are not in the answer, and have their place in the chart; so have some before the first, or its bar
// would be as wide as the page.
function withQuietOnes(counted, step) {
  const known = new Map(counted.map((period) => [Date.parse(period.begin), period]));
  const times = [...known.keys()];
  const all = [];
  if (times.length === 0) return all;
  for (let at = Math.min(times[0], times[times.length - 1] - (FEWEST - 1) * step); at <= times[times.length - 1]; at += step) all.push(known.get(at) ?? { begin: new Date(at).toISOString(), events: {} });
  return all;
}
