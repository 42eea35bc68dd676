// One WhatsApp Web session that sends and receives, built as servers on whatsapp-web.js are: one Node process with the HTTP
// API, puppeteer, and a webhook for what comes in. Files go through the process as base64, in one piece, as its
// MessageMedia does. Nothing is stored before it is answered. Started by sending/sides.py.
//
//   node messaging.mjs PLAN.json      writes {"port": …} and {"qr": …} per code; ends when standard input is closed
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';

const plan = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const browser = await puppeteer.launch({
  executablePath: plan.executable,
  headless: true,
  userDataDir: join(plan.folder, 'profile'),
  defaultViewport: { width: 1024, height: 768 },
  protocolTimeout: 300_000,
  args: ['--no-sandbox', '--no-proxy-server', `--user-agent=${plan.userAgent}`],
});
const page = (await browser.pages())[0];
await page.exposeFunction('onMessage', async (message) => {
  await fetch(plan.receiver, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(message) });
});
await page.evaluateOnNewDocument(readFileSync(plan.script, 'utf8'));
await page.evaluateOnNewDocument(`WPP.on('chat.new_message', ({ id, from, body }) => {
  if (!id.fromMe) window.onMessage({ id: id.id, key: String(id), from: String(from), body: body ?? '' });
})`);
await page.goto(plan.url, { waitUntil: 'load', timeout: 0 });

const OPTIONS = { createChat: true, linkPreview: false, detectMentioned: false, markIsRead: false, waitForAck: false };
const calls = {
  '/send': async ({ to, body }) => ({
    id: await page.evaluate(async (chat, text, options) => String((await WPP.chat.sendTextMessage(chat, text, options)).id), to, body, OPTIONS),
  }),
  '/send-file': async ({ to, path, filename, mimetype }) => {
    const url = `data:${mimetype};base64,${await readFile(path, 'base64')}`;
    const options = { ...OPTIONS, type: 'document', filename, mimetype };
    return { id: await page.evaluate(async (chat, data, given) => String((await WPP.chat.sendFileMessage(chat, data, given)).id), to, url, options) };
  },
  '/fetch': async ({ key }) => ({
    data: await page.evaluate(async (id) => WPP.util.blobToBase64(await WPP.chat.downloadMedia(id)), key),
  }),
};

const server = createServer(async (request, response) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  try {
    const answer = await calls[request.url](JSON.parse(Buffer.concat(pieces)));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  } catch (error) {
    response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ error: String(error) }));
  }
}).listen(0, '127.0.0.1', () => say({ port: server.address().port }));

let last;
const timer = setInterval(async () => {
  const qr = await page.evaluate(() => document.querySelector('[data-ref]')?.getAttribute('data-ref') ?? null).catch(() => null);
  if (qr !== null && qr !== last) say({ qr });
  if (qr === null && last) clearInterval(timer); // linked
  last = qr;
}, 200);
process.stdin.on('end', async () => {
  clearInterval(timer);
  await browser.close().catch(() => {});
  process.exit(0);
});
process.stdin.resume();
