// Linking by phone number: the page asks for eight characters that a person types on the phone.
// wa-js keeps the lifetime of a code and its refreshes itself; it listens to the events named below.

import { Emitter } from './emitter.js';

const PREFIX = 'link_device_events:';

export class Linking {
  events = new Emitter();
  #connection;
  #waiting = []; // those who asked and have no code yet

  constructor({ connection }) {
    this.#connection = connection;
    this.events.triggerRefreshAltLinkingCode = () => this.events.trigger(`${PREFIX}refresh_alt_linking_code`);
  }

  async request(phone) {
    const code = new Promise((resolve, reject) => { this.#waiting.push({ resolve, reject }); });
    if (!this.#connection.send({ type: 'link-code', phone })) {
      this.#waiting.pop();
      this.events.trigger(`${PREFIX}error_alt_linking`);
      throw new Error('The page is not connected; ask again when it is.');
    }
    return code;
  }

  received({ code }) {
    const asked = this.#waiting.shift();
    if (code === null) asked?.reject(new Error('Too many attempts'));
    else asked?.resolve(code);
  }

  told({ kind }) {
    const event = { refresh: 'refresh_alt_linking_code', 'manual-refresh': 'force_manual_refresh', error: 'error_alt_linking' }[kind];
    this.events.trigger(`${PREFIX}${event}`);
  }

  entered() {
    this.events.trigger(`${PREFIX}primary_hello_received`);
  }
}
