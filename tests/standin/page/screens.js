// What a person sees. One function per screen, chosen in the order of the reference's table of screens.

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
const notice = (title, text) => screen(element('h1', {}, title), element('p', {}, text));

const DIALOGS = {
  'other-tab': ['WhatsApp is open in another window. Click "Use here" to use WhatsApp in this window.', ['Close', 'Use here']],
  passkey: ['Quick security check with Passkey', ['Continue', 'Log out of WhatsApp Web']],
  'action-required': ["What's new on WhatsApp Web", ['Continue']],
  storage: ['The browser could not store the login.', []],
  'storage-en': ['A database error occurred', []],
  'storage-de': ['Ein Datenbankfehler ist aufgetreten', []],
};

export class Dialogs {
  open(kind) {
    this.close();
    const [text, buttons] = DIALOGS[kind];
    const pressed = { 'Use here': () => location.reload() };
    const made = buttons.map((name) => element('button', { onclick: pressed[name] ?? (() => this.close()) }, name));
    document.body.append(
      element('div', { role: 'dialog', 'data-animate-modal-popup': 'true' }, element('p', {}, text), ...made),
    );
  }

  close() {
    document.querySelector('[role=dialog]')?.remove();
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
    if (session.screen?.name === 'ban') {
      return notice("You're temporarily banned", `${session.screen.message} It ends in ${session.screen.expire} s.`);
    }
    if (session.screen?.name === 'passkey') {
      return notice('Continue on WhatsApp Web', 'Use your passkey to link this device.');
    }
    if (session.screen?.name === 'unavailable') return notice('Service unavailable', 'The server asks to come back later.');
    if (state.socket.state === 'SCREEN_LOCKED') return notice('Screen locked', 'Enter the password to go on.');
    if (mode === 'QR') return this.#qr(state.socket.state);
    if (mode === 'OFFLINE') return notice('Computer not connected', 'The page connects again when the network is back.');
    if (mode === 'SYNCING') return screen(element('progress'), element('p', {}, 'Loading your chats'));
    return this.#main();
  }

  #qr(socketState) {
    const { pairing } = this.#parts;
    if (socketState === 'UNPAIRED_IDLE') {
      const area = document.querySelector('.qr');
      area?.classList.add('idle');
      area?.append(element('button', { onclick: () => this.#parts.refreshQR() }, 'Click to reload QR code'));
      return null;
    }
    const { text } = pairing;
    if (!text) return screen(element('progress'), element('p', {}, 'Waiting for a code'));
    const canvas = element('canvas', { role: 'img', 'aria-label': 'Scan this QR code to link a device!' });
    draw(canvas, text);
    return element('div', { class: 'screen landing-wrapper' },
      element('div', { class: 'qr', 'data-ref': text }, canvas),
      element('p', {}, 'Scan this code with the phone of the stand-in.'));
  }

  #main() {
    const list = this.#parts.chats.chats.getModelsArray().map((chat) => element('li', {}, chat.id._serialized));
    return screen(element('h1', {}, 'Chats'), element('ul', { class: 'chats', id: 'pane-side' }, ...list));
  }
}
