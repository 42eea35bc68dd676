// Linking by QR code: show the six references one after the other, store the login when the phone has scanned one.

const PLATFORM = '1'; // what the real page calls DEVICE_PLATFORM for Chrome

export class Pairing {
  platform = PLATFORM;
  #state;
  #login;
  #form;
  #round = [];
  #timer = null;

  constructor({ state, login, form }) {
    this.#state = state;
    this.#login = login;
    this.#form = form;
  }

  // The text inside the QR code, or null when there is none to show.
  get text() {
    const { ref } = this.#state.conn;
    if (!ref || this.#login.registered) return null;
    const { noiseKey, identityKey, advSecret } = this.#login;
    const fields = [ref, noiseKey, identityKey, advSecret, PLATFORM].join(',');
    if (this.#form === 'link') return `https://wa.me/settings/linked_devices#${fields}`;
    return this.#form === 'trailing' ? `${fields},https://faq.whatsapp.com/r/ld` : fields;
  }

  begin({ refs, firstTTL, nextTTL }) {
    this.#round = refs.map((ref, position) => ({ ref, refTTL: position ? nextTTL : firstTTL }));
    this.#state.socket.set('state', 'UNPAIRED');
    this.#next();
  }

  usedUp() {
    this.#round = [];
    this.#next();
  }

  async scanned({ device, number }) {
    this.stop();
    await this.#login.write({ device, number });
    this.#state.conn.set({ ref: undefined, refTTL: undefined });
    this.#state.derive();
  }

  stop() {
    clearTimeout(this.#timer);
  }

  // The server has taken its references back.
  withdraw() {
    this.stop();
    this.#round = [];
    this.#state.conn.set({ ref: undefined, refTTL: undefined });
  }

  #next() {
    this.stop();
    const shown = this.#round.shift();
    if (shown) {
      this.#state.conn.set(shown);
      this.#timer = setTimeout(() => this.#next(), shown.refTTL);
    } else {
      // The state first: who draws on a missing reference must already know that there will be none.
      this.#state.socket.set('state', 'UNPAIRED_IDLE');
      this.#state.conn.set({ ref: undefined, refTTL: undefined });
    }
  }
}
