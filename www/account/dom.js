// Elements in one expression each, for pages that make most of theirs.

import { put } from "../js/views.js";

// A child that is a function makes the element's text, in whatever language the page turns to; attributes that are
// functions are made with it. What is nothing or false is left out. "onclick" and the like are listeners.
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  const told = [];
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (typeof value === "function") told.push([key, value]);
    else element.setAttribute(key, value === true ? "" : value);
  }
  const text = children.find((child) => typeof child === "function");
  if (text || told.length) {
    put(element, () => {
      for (const [key, value] of told) element.setAttribute(key, value());
      return text ? text() : children;
    });
  } else {
    element.append(...children.filter((child) => (child ?? false) !== false));
  }
  return element;
}

// What is not of the page's language keeps its own direction.
export function isolated(text) {
  return make("bdi", {}, text);
}

export function time(date, words) {
  return make("time", { datetime: date.toISOString() }, () => words(date));
}
