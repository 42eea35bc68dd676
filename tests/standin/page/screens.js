// What a person sees. One function per screen, chosen in the order of the reference's table of screens.

import { texts } from './texts.js';

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'onclick') made.onclick = value;
    else if (value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

const QUIET_ZONE = 4; // modules of white around a QR code, without which phones do not find it
const PIXELS = 4; // per module; style sheets scale the picture

async function draw(canvas, text) {
  const response = await fetch('/qr-matrix', { method: 'POST', body: text });
  const rows = await response.json();
  const size = (rows.length + 2 * QUIET_ZONE) * PIXELS;
  canvas.width = canvas.height = size;
  const pen = canvas.getContext('2d');
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, size, size);
  pen.fillStyle = '#000';
  rows.forEach((row, y) => [...row].forEach((cell, x) => {
    if (cell === '1') pen.fillRect((x + QUIET_ZONE) * PIXELS, (y + QUIET_ZONE) * PIXELS, PIXELS, PIXELS);
  }));
}

const screen = (...children) => element('div', { class: 'screen' }, ...children);
const notice = ([title, ...lines]) => screen(element('h1', {}, title), ...lines.map((line) => element('p', {}, line)));

// The database's own error is told in the language that the phone asks for.
const STORAGE = { 'storage-en': ['A database error occurred'], 'storage-de': ['Ein Datenbankfehler ist aufgetreten'] };

// The page's preference: whether its notice of what is new was acknowledged, which pressing its button does.
const ACKNOWLEDGED = 'WebUiRefreshNuxAcknowledged';
export const isNoticeAcknowledged = () => localStorage.getItem(ACKNOWLEDGED) === 'true';

export class Dialogs {
  // The window of another tab comes over whatever is there; the others take each other's place.
  open(kind) {
    if (kind !== 'other-tab') this.close();
    if (kind === 'action-required') localStorage.removeItem(ACKNOWLEDGED);
    const [text, ...buttons] = STORAGE[kind] ?? texts()[kind];
    const acknowledge = () => {
      localStorage.setItem(ACKNOWLEDGED, 'true');
      this.close();
    };
    const pressed = {
      'other-tab': [() => this.close(), () => location.reload()],
      'action-required': [acknowledge],
    }[kind] ?? [];
    const more = kind === 'terms' ? [element('a', { href: '#terms' }, texts().readTerms)] : [];
    const made = buttons.map((name, at) => element('button', { onclick: pressed[at] ?? (() => this.close()) }, name));
    document.body.append(
      element('div', { role: 'dialog', 'data-animate-modal-popup': 'true' }, element('p', {}, text), ...more, ...made),
    );
  }

  close() {
    [...document.querySelectorAll('[role=dialog]')].at(-1)?.remove();
  }
}

export class Screens {
  #parts;
  #shown = null; // what the present content was made from

  constructor(parts) {
    this.#parts = parts;
    const { state } = parts;
    for (const model of [state.stream, state.socket, state.conn]) model.on('change', () => this.render());
    parts.chats.chats.on('add', () => this.render());
  }

  render() {
    const { state, session, pairing, chats } = this.#parts;
    const { mode } = state.stream;
    // An idle page has no code of its own; without this its screen would be made twice, once per step towards idle.
    const text = state.socket.state === 'UNPAIRED_IDLE' ? null : pairing.text;
    const key = [session.screen?.name, mode, state.socket.state, text, chats.chats.length].join('|');
    if (key === this.#shown) return;
    this.#shown = key;
    const made = this.#choose(mode);
    // The idle QR screen keeps what it had: the stale picture stays under the button, as on the real page.
    if (made) document.querySelector('#app').replaceChildren(made);
  }

  #choose(mode) {
    const { state, session } = this.#parts;
    const said = texts();
    if (session.screen?.name === 'banned') {
      const { message, expire } = session.screen;
      return notice([...said.banned, message, expire ? `${expire} s` : ''].filter(Boolean));
    }
    if (session.screen) return notice(said[session.screen.name]);
    if (state.socket.state === 'SCREEN_LOCKED') return notice(said.locked);
    if (mode === 'QR') return this.#qr(state.socket.state);
    if (mode === 'OFFLINE') return notice(said.offline);
    if (mode === 'SYNCING') return screen(element('progress'), element('p', {}, said.loading));
    return this.#main();
  }

  #qr(socketState) {
    const { pairing } = this.#parts;
    if (socketState === 'UNPAIRED_IDLE') {
      const area = document.querySelector('.qr');
      area?.classList.add('idle');
      area?.append(element('button', { onclick: () => this.#parts.refreshQR() }, texts().reload));
      return null;
    }
    const { text } = pairing;
    if (!text) return screen(element('progress'), element('p', {}, texts().waiting));
    const canvas = element('canvas');
    draw(canvas, text);
    return element('div', { class: 'screen landing-wrapper' },
      element('div', { class: 'qr', 'data-ref': text }, canvas),
      element('p', {}, texts().scan));
  }

  #main() {
    const list = this.#parts.chats.chats.getModelsArray().map((chat) => element('li', {}, chat.id._serialized));
    return screen(element('h1', {}, texts().chats), element('ul', { class: 'chats' }, ...list));
  }
}
