// How the page tells the rest of itself, and wa-js, that something happened. This is where the two modes differ most:
// legacy uses the event bus and plain `Cmd` events, modern only `Cmd` events with the suffix `_from_bridge`.

import { Emitter } from './emitter.js';

const BRIDGED = new Set(['logout', 'starting_logout', 'account_temporarily_banned', 'service_unavailable_503']);

export class CmdImpl extends Emitter {}
class EventBus extends Emitter {}

export class Announcer {
  cmd = new CmdImpl();
  bus = new EventBus();
  #modern;

  constructor(mode) {
    this.#modern = mode === 'modern';
    if (!this.#modern) this.cmd.isMainLoaded = false;
  }

  // To the bus, always through the object: wa-js replaces `trigger` on it.
  backend(name, ...args) {
    if (this.#modern && BRIDGED.has(name) && name !== 'logout') {
      this.cmd.trigger(`${name}_from_bridge`, ...args);
    } else {
      this.bus.trigger(name, ...args);
    }
  }

  loggedOut() {
    this.cmd.trigger(this.#modern ? 'logout_from_bridge' : 'logout');
  }

  mainLoaded() {
    if (this.#modern || this.cmd.isMainLoaded) return;
    this.cmd.isMainLoaded = true;
    this.cmd.trigger('main_loaded');
  }
}
