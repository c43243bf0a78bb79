// Shows openapi.yaml, and lets its calls reach the service that this page came from.
"use strict";

const told = document.getElementById("told");

/** What the service tells of itself; beyond this machine the admin API wants a token, and tells nothing. */
async function info() {
  const reply = await fetch("/mock/info");
  return reply.ok ? reply.json() : {};
}

/** Puts this service's address and instance where the document names usual ones. */
function localized(instance) {
  const update = (original) => (document) => {
    const parameters = document.components.parameters;
    const local = { ...document, servers: [{ url: window.location.origin, description: "This service" }] };
    if (instance) {
      const { BluemixInstance: header } = parameters;
      const filled = { ...header, example: instance };
      local.components = { ...document.components, parameters: { ...parameters, BluemixInstance: filled } };
    }
    return original(local);
  };
  return { statePlugins: { spec: { wrapActions: { updateJsonSpec: update } } } };
}

async function show() {
  const { instanceId } = await info();
  if (instanceId) {
    document.getElementById("instance").textContent = instanceId;
  }
  const ui = SwaggerUIBundle({
    url: "/openapi.yaml",
    dom_id: "#api",
    deepLinking: true,
    docExpansion: "none",
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    validatorUrl: null,
    plugins: [() => localized(instanceId)],
  });
  document.getElementById("token").addEventListener("click", () => fillInToken(ui));
}

async function fillInToken(ui) {
  const form = new URLSearchParams({ grant_type: "urn:ibm:params:oauth:grant-type:apikey", apikey: "docs" });
  const reply = await fetch("/identity/token", { method: "POST", body: form });
  const body = await reply.json();
  if (reply.ok) {
    ui.preauthorizeApiKey("Bearer", body.access_token);
    told.textContent = "A token for the API key docs is filled in; it holds for an hour.";
  } else {
    told.textContent = body.errorMessage;
  }
}

show();
