// The four models that tell what the page is doing, and the two values that follow from them.
// `Stream.mode` and `Stream.info` are never set by hand: they are derived, so that no test can claim a state that the
// socket and the login do not support.

import { Model } from './emitter.js';

export const SOCKET_STATE = {
  UNLAUNCHED: 'UNLAUNCHED', OPENING: 'OPENING', PAIRING: 'PAIRING', UNPAIRED: 'UNPAIRED', UNPAIRED_IDLE: 'UNPAIRED_IDLE',
  CONNECTED: 'CONNECTED', SCREEN_LOCKED: 'SCREEN_LOCKED', CONFLICT: 'CONFLICT', PROXYBLOCK: 'PROXYBLOCK',
  TOS_BLOCK: 'TOS_BLOCK', SMB_TOS_BLOCK: 'SMB_TOS_BLOCK', DEPRECATED_VERSION: 'DEPRECATED_VERSION',
};

export const SOCKET_STREAM = {
  DISCONNECTED: 'DISCONNECTED', SYNCING: 'SYNCING', RESUMING: 'RESUMING', CONNECTED: 'CONNECTED',
};

function modeOf({ state, stream, hasSynced }, { registered, online }) {
  if (!registered) return 'QR';
  if (state === 'UNLAUNCHED') return 'SYNCING';
  if (state === 'UNPAIRED' || state === 'UNPAIRED_IDLE') return 'QR';
  if (state === 'OPENING' && !online && !hasSynced) return 'OFFLINE';
  return hasSynced || stream === 'CONNECTED' ? 'MAIN' : 'SYNCING';
}

function infoOf({ state, stream, hasSynced }, { online }) {
  if (state === 'OPENING') return online ? 'OPENING' : 'OFFLINE';
  if (state === 'PAIRING') return hasSynced ? 'RESUMING' : 'PAIRING';
  if (state === 'CONNECTED' && stream !== 'CONNECTED' && !hasSynced) return 'SYNCING';
  return 'NORMAL';
}

export class State {
  socket = new Model({ state: 'UNLAUNCHED', stream: 'DISCONNECTED', hasSynced: false });
  stream = new Model({ mode: undefined, info: undefined, needsUpdate: false });
  conn = new Model({ ref: undefined, refTTL: undefined, connected: false, platform: 'android', pushname: undefined });
  network = new Model({ online: true });
  restriction = { kind: 'none', until: 0 };
  #login;

  constructor(login) {
    this.#login = login;
    this.#definePresence();
    this.socket.on('change', () => this.derive());
    this.network.on('change', () => this.derive());
    this.derive();
  }

  // Whether a person looks at the page: by its focus, or by whoever says so. Assigned and not `set`, as on the real page:
  // wa-js puts an accessor of its own in its place to pin it.
  #definePresence() {
    const { stream } = this;
    let available = document.hasFocus();
    Object.defineProperty(stream, 'available', {
      configurable: true,
      get: () => available,
      set: (wanted) => {
        if (wanted === available) return;
        available = wanted;
        stream.trigger('change:available', stream, available);
      },
    });
    stream.markAvailable = () => { stream.available = true; };
    stream.markUnavailable = () => { stream.available = false; };
    window.addEventListener('focus', () => stream.markAvailable());
    window.addEventListener('blur', () => stream.markUnavailable());
  }

  // What the account may not do. The page's modules tell that it may not, events until when.
  restrict({ kind, until }) {
    this.restriction = { kind, until };
  }

  // Also called by whoever changes the login, which is no model.
  derive() {
    const facts = { registered: this.#login.registered, online: this.network.online };
    this.stream.set({ mode: modeOf(this.socket, facts), info: infoOf(this.socket, facts) });
  }
}
