// Shows /api/openapi.json by Swagger UI. Without its bundle (`make docs`) the page keeps its link to the document.
"use strict";

// What Swagger UI leaves to screen readers to guess: parts and lists without a name, text that only a mouse
// scrolls, links inside of buttons that do the same, and a heading below none of its kind.
function amend(docs) {
  for (const [part, name] of [[".information-container", "About"], [".schemes-server-container", "Server"]]) {
    for (const element of docs.querySelectorAll(`${part}:not([role])`)) {
      element.setAttribute("role", "region");
      element.setAttribute("aria-label", name);
    }
  }
  for (const list of docs.querySelectorAll("select:not([aria-label])")) {
    list.setAttribute("aria-label", list.id === "servers" ? "Server" : list.closest(".examples-select") ? "Example" : "Choice");
  }
  for (const text of docs.querySelectorAll(".microlight:not([tabindex])")) text.tabIndex = 0; // scrolled by the keyboard
  for (const title of docs.querySelectorAll(".models h4:not([aria-level])")) title.setAttribute("aria-level", "3");
  for (const link of docs.querySelectorAll("button a[href]")) link.removeAttribute("href");
}

if (window.SwaggerUIBundle) {
  const docs = document.getElementById("docs");
  new MutationObserver(() => amend(docs)).observe(docs, { subtree: true, childList: true });
  window.SwaggerUIBundle({
    url: "../openapi.json",
    domNode: docs,
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    // Nothing is sent to a validator elsewhere.
    validatorUrl: null,
  });
}
