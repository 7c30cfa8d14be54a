// Bars, drawn as SVG with the page's own colours, so that dark and forced colours hold without a library; and a table of the
// same numbers for whoever wants them, or sees no bars.

import { make, time } from "../account/dom.js";
import { intl, t } from "../js/language.js";
import { put } from "../js/views.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600;
const HEIGHT = 120;

// `names`: dates of the periods; `nameOf` writes one in the table, `shortOf` below the bars. `series`: [{words, values}].
export function chart({ title, names, nameOf, shortOf, series }) {
  const most = Math.max(1, ...series.flatMap(({ values }) => values));
  const legend = series.map(({ words }, index) => make("li", { class: `series-${index}` }, words));
  return make("figure", { class: "chart" },
    make("figcaption", {}, title),
    make("ul", { class: "legend", role: "list" }, ...legend),
    make("p", { class: "scale" }, () => intl().number.format(most)),
    bars(series, names.length, most, title),
    make("p", { class: "axis" }, ...[names[0], names[names.length - 1]].filter(Boolean).map((date) => time(date, shortOf))),
    make("details", {}, make("summary", {}, () => t("As a table")), table({ title, names, nameOf, series })));
}

function bars(series, count, most, title) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  put(svg, () => {
    svg.setAttribute("aria-label", title());
    return [...svg.children];
  });
  const slot = WIDTH / Math.max(1, count);
  const width = slot * 0.8 / series.length;
  series.forEach(({ values }, index) => {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", `series-${index}`);
    path.setAttribute("d", values.map((value, at) => {
      const height = value / most * HEIGHT;
      return `M${at * slot + slot * 0.1 + index * width} ${HEIGHT}v${-height}h${width}v${height}z`;
    }).join(""));
    svg.append(path);
  });
  return svg;
}

function table({ title, names, nameOf, series }) {
  const cell = (value) => make("td", {}, () => intl().number.format(value));
  return make("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": title },
    make("table", {},
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, () => t("Time")), ...series.map(({ words }) => make("th", { scope: "col" }, words)))),
      make("tbody", {}, ...names.map((name, at) => make("tr", {},
        make("th", { scope: "row" }, () => nameOf(name)), ...series.map(({ values }) => cell(values[at])))))));
}
