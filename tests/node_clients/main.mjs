// Calls one client of the Cloud API, unmodified but for its base URL, and prints what came of each call as a JSON line.
// The one argument is JSON: {client, url, phone, token, calls: [[method, argument…], …]}.

// What gets webhooks: a server that is told what came, as its owner would be.
class Receiver {
  #webhook;
  #seen = [];

  async start(token) {
    const { default: express } = await import("express"); // the package's own
    const { WebhookClient } = await import("whatsapp-business");
    const app = express().use(express.json());
    new WebhookClient({ token, path: "/webhook", expressApp: { app, shouldStartListening: false } }).initWebhook({
      onTextMessageReceived: (message, contact) => this.#seen.push({ message, contact }),
      onStatusReceived: (status) => this.#seen.push({ status }),
    });
    const server = await new Promise((resolve) => {
      const started = app.listen(0, "127.0.0.1", () => resolve(started));
    });
    this.#webhook = `http://127.0.0.1:${server.address().port}/webhook`;
    return this;
  }

  async verify(query) {
    return (await fetch(`${this.#webhook}?${query}`)).text();
  }

  async receive(body) {
    await fetch(this.#webhook, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    return this.#seen.splice(0);
  }
}

const CLIENTS = {
  "@kapso/whatsapp-cloud-api": async ({ url, token }) => {
    const { WhatsAppClient } = await import("@kapso/whatsapp-cloud-api");
    return new WhatsAppClient({ baseUrl: url, graphVersion: "v24.0", accessToken: token });
  },
  "whatsapp-business": async ({ url, phone, token }) => {
    const { WABAClient } = await import("whatsapp-business");
    const client = new WABAClient({ apiToken: token, phoneId: phone, accountId: phone });
    client.restClient.fetch.defaults.baseURL = `${url}/v17.0`;
    return client;
  },
  "@kapso/whatsapp-cloud-api/server": () => import("@kapso/whatsapp-cloud-api/server"),
  "whatsapp-business/webhooks": ({ token }) => new Receiver().start(token),
};

const plan = JSON.parse(process.argv[2]);
const client = await CLIENTS[plan.client](plan);
for (const [name, ...values] of plan.calls) {
  const parts = name.split(".");
  const method = parts.pop();
  const owner = parts.reduce((object, part) => object[part], client);
  try {
    console.log(JSON.stringify({ answer: await owner[method](...values) }));
  } catch (error) {
    console.log(JSON.stringify({ code: error.code ?? null, error: String(error.message ?? error) }));
  }
}
process.exit(0); // a server would wait for more
