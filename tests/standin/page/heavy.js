// What the real page carries and this one does not: a heap full of models, their pictures, and rows on the screen. Benchmarks
// ask for it (`POST /page/variant {"heavy": MB}`), no test does. As there, what is loaded leaves garbage behind, and a page at
// rest goes on allocating a little. The code of the real page is missing here.

const PER_MB = 430; // rows; found by measurement, see docs/benchmarks.md
const AT_ONCE = 2000;
const SHOWN = 8; // one row in so many is on the screen
const CHURN = 2000;

const kept = [];
let churned = null;

function row(number) {
  // By way of a text, as from a database or a socket.
  const text = JSON.stringify({
    id: `false_1555${number}@c.us_3EB0${number.toString(16).padStart(16, '0')}`, t: 1_700_000_000 + number, ack: number % 5,
    body: `Row ${number}: ${String.fromCharCode(97 + (number % 26)).repeat(160 + (number % 200))}`, type: 'chat',
    from: { user: `1555${number}`, server: 'c.us', device: 0 }, links: [], mentions: [], flags: { star: false, fresh: false },
  });
  const model = JSON.parse(text);
  model.preview = new Uint8Array(256).fill(number % 251);
  model.listeners = new Map([['change:ack', [() => model.ack]], ['change:body', [() => model.body]]]);
  return model;
}

function shown(model) {
  const line = document.createElement('div');
  line.role = 'row';
  for (const part of [model.from.user, model.body, String(model.t)]) {
    const span = document.createElement('span');
    span.title = part;
    span.textContent = part;
    line.append(span);
  }
  return line;
}

export async function burden(megabytes) {
  if (!megabytes) return;
  const list = document.createElement('div');
  Object.assign(list.style, { position: 'absolute', left: '-20000px', width: '400px' });
  document.body.append(list);
  for (let first = 0; first < megabytes * PER_MB; first += AT_ONCE) {
    const some = Array.from({ length: AT_ONCE }, (_, index) => row(first + index));
    kept.push(...some);
    list.append(...some.filter((_model, index) => index % SHOWN === 0).map(shown));
    await new Promise((done) => { setTimeout(done, 5); });
  }
  setInterval(() => { churned = Array.from({ length: CHURN }, (_, index) => ({ index, at: Date.now(), text: `tick ${index}` })); }, 1000);
}

export const weight = () => ({ rows: kept.length, churned: churned?.length ?? 0 });
