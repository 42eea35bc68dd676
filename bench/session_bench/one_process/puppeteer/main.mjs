// Many WhatsApp Web sessions in one Node process, built as the servers are that one meets: puppeteer, one full browser
// with a profile of its own per session, wa-js before the page's own scripts. Started by one_process/host.py.
//
//   node main.mjs PLAN.json      writes {"session": 0, "qr": "…"} per QR code; ends when standard input is closed
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';

const plan = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const script = readFileSync(plan.script, 'utf8');

async function open(session) {
  const browser = await puppeteer.launch({
    executablePath: plan.executable,
    headless: true,
    userDataDir: join(plan.folder, `session-${session}`),
    defaultViewport: { width: 1024, height: 768 },
    args: [
      '--no-sandbox', // these servers run in containers, where the browser's own sandbox can not start
      '--no-proxy-server',
      `--user-agent=${plan.userAgent}`,
      `--host-resolver-rules=${plan.resolver}`,
    ],
  });
  const page = (await browser.pages())[0];
  await page.evaluateOnNewDocument(script);
  await page.goto(plan.url, { waitUntil: 'load', timeout: 0 });
  return { session, browser, page, last: null };
}

async function tell(one) {
  const qr = await one.page.evaluate(() => document.querySelector('[data-ref]')?.getAttribute('data-ref') ?? null);
  if (qr !== null && qr !== one.last) {
    one.last = qr;
    process.stdout.write(`${JSON.stringify({ session: one.session, qr })}\n`);
  }
}

const all = await Promise.all(Array.from({ length: plan.sessions }, (_, session) => open(session)));
let timer;
function look() {
  all.forEach((one) => tell(one).catch(() => {})); // a page that loads has no answer
  timer = setTimeout(look, all.every((one) => one.last) ? 1000 : 100); // when the first code came is measured
}
look();
process.stdin.on('end', async () => {
  clearTimeout(timer);
  await Promise.allSettled(all.map((one) => one.browser.close()));
  process.exit(0);
});
process.stdin.resume();
