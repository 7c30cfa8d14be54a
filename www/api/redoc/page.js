// Shows /api/openapi.json by Redoc. Without its bundle (`make docs`) the page keeps its link to the document.
"use strict";

if (window.Redoc) {
  const fonts = "system-ui, sans-serif";
  document.body.style.margin = "0";
  window.Redoc.init(
    "../openapi.json",
    {
      hideHostname: true,
      requiredPropsFirst: true,
      jsonSampleExpandLevel: 3,
      theme: { typography: { fontFamily: fonts, headings: { fontFamily: fonts } } },
    },
    document.getElementById("docs"),
  );
}
