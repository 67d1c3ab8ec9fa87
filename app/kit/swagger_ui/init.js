// Starts Swagger UI. A file of its own, because the policy of the page allows no inline script.
window.addEventListener("load", () => {
  SwaggerUIBundle({
    url: "openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    filter: true,
    docExpansion: "none",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    persistAuthorization: false, // a shared computer must not keep somebody's token
    validatorUrl: null, // the document is sent to nobody
  });
});
