// Swagger UI's own start script stands inline in its page, which our policy forbids.
globalThis.SwaggerUIBundle({
  url: "/docs/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  // The default asks another host whether the document is valid.
  validatorUrl: null,
});
