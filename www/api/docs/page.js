// Shows /api/openapi.json by Swagger UI. Without its bundle (`make docs`) the page keeps its link to the document.
"use strict";

if (window.SwaggerUIBundle) {
  window.SwaggerUIBundle({
    url: "../openapi.json",
    domNode: document.getElementById("docs"),
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
