// Calls one client of the Cloud API, unmodified but for its base URL, and prints what came of each call as a JSON line.
// The one argument is JSON: {client, url, phone, token, calls: [[method, argument…], …]}.

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
