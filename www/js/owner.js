// What the owner of this installation says of it: logo, colour, links, and the application that the visitor came from.

import { t } from "./language.js";
import { element, put } from "./views.js";

const LINKS = { privacy: () => t("Privacy"), imprint: () => t("Imprint"), support: () => t("Help") };
const READABLE = 4.5; // of 1, as WCAG 2.2 (1.4.3) asks for
const dark = matchMedia("(prefers-color-scheme: dark)");

// `page` is the server's answer; what it does not say stays as it is.
export function dress({ logo, accent, stylesheet, links = {} }) {
  if (logo) element("logo").src = fileOf(logo);
  if (stylesheet) loadStyles(fileOf(stylesheet));
  if (accent) {
    paint(accent);
    dark.addEventListener("change", () => paint(accent));
  }
  element("owner-links").replaceChildren(...Object.keys(LINKS).filter((name) => links[name]).map((name) => item(name, links[name])));
}

// What the sign-in says besides.
export function invite({ channels, link, return_to: target }) {
  if (channels && !channels.includes("sms")) promiseMailAlone();
  if (link === "instead") promiseLink(channels?.includes("sms"));
  const next = element("continue");
  next.hidden = !target;
  if (target) {
    next.href = target.url;
    put(next, () => t("Continue to {name}", { name: target.name }));
  }
}

// Where a signed-in visitor goes on to; null where nobody sent him here.
export function next() {
  const link = element("continue");
  return link.hidden ? null : link;
}

export function goOn() {
  location.assign(element("continue").href);
}

// Beside the pages, wherever they are.
function fileOf(name) {
  return new URL(`../${name}`, import.meta.url).href;
}

function promiseMailAlone() {
  put(element("address-lead"), () => t("We send you a code by e-mail. It works once and replaces the password."));
  put(element("address-label"), () => t("E-mail address"));
  element("address-hint").hidden = true;
}

function promiseLink(hasSms) {
  put(element("address-lead"), () => hasSms
    ? t("We send you a link by e-mail, or a code by SMS. It works once and replaces the password.")
    : t("We send you a link by e-mail. It works once and replaces the password."));
  if (!hasSms) put(element("address-submit"), () => t("Send me a link"));
}

function item(name, url) {
  const line = document.createElement("li");
  const link = document.createElement("a");
  link.href = url;
  put(link, LINKS[name]);
  line.append(link);
  return line;
}

function loadStyles(url) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = url;
  document.head.append(link);
}

// The owner's colour, as much darker or lighter as text in it needs to be read on the card.
function paint(accent) {
  const wanted = [1, 3, 5].map((at) => parseInt(accent.slice(at, at + 2), 16));
  const card = dark.matches ? [23, 27, 34] : [255, 255, 255];
  const far = dark.matches ? 255 : 0;
  let colour = wanted;
  for (let share = 0; contrast(colour, card) < READABLE && share < 1; share += 0.05) colour = mixed(wanted, far, share);
  const black = contrast(colour, [0, 0, 0]) > contrast(colour, [255, 255, 255]);
  const style = document.documentElement.style;
  style.setProperty("--accent", css(colour));
  style.setProperty("--accent-strong", css(mixed(colour, black ? 255 : 0, 0.15)));
  style.setProperty("--on-accent", black ? "#000000" : "#ffffff");
}

function mixed(colour, far, share) {
  return colour.map((part) => Math.round(part + (far - part) * share));
}

function css(colour) {
  return `rgb(${colour.join(" ")})`;
}

// WCAG 2.2, relative luminance.
function luminance(colour) {
  const [red, green, blue] = colour.map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}
