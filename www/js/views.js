// Which step is on the screen: shows one view, names it in the title, moves the focus there, and owns the status line.

const views = ["waiting", "unreachable", "address", "code", "account"];
const status = document.getElementById("status");

// `focus` defaults to the heading, so that a screen reader starts reading there.
export function show(name, title, focus) {
  for (const view of views) element(`${view}-view`).hidden = view !== name;
  document.title = title;
  if (focus) focus.focus();
  else focusHeading(name);
}

export function isShown(name) {
  return !element(`${name}-view`).hidden;
}

export function focusHeading(name) {
  element(`${name}-view`).querySelector("h1").focus();
}

export function say(text) {
  status.textContent = text;
}

// An address that is too long for the line breaks before its @.
export function putAddress(target, address) {
  const [local, ...domain] = address.split("@");
  target.replaceChildren(local, document.createElement("wbr"), ...domain.map((part) => `@${part}`));
}

export function element(id) {
  return document.getElementById(id);
}
