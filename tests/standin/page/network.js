// Whether the computer has a network, found out by a small request. The browser's own word (`navigator.onLine`) only
// says when to ask: it calls a machine with nothing but loopback offline, and this page may well be served from there.
// Who else asks: the connection, each time its socket ends. While offline it asks again until the answer changes.

export class Network {
  #state;
  #login;
  #pause;
  #timer = null;

  constructor({ state, login, pause }) {
    this.#state = state;
    this.#login = login;
    this.#pause = pause;
    state.network.checkOnline = () => this.check();
    window.addEventListener('online', () => this.check());
    window.addEventListener('offline', () => this.check());
  }

  async check() {
    const online = await this.#ask();
    clearTimeout(this.#timer);
    if (!online) this.#timer = setTimeout(() => this.check(), this.#pause);
    this.#state.network.set('online', online);
    return online;
  }

  async #ask() {
    const query = this.#login.device ? `?device=${encodeURIComponent(this.#login.device)}` : '';
    try {
      return (await fetch(`/check-online${query}`, { cache: 'no-store' })).ok;
    } catch {
      return false; // no route, no name, no server: all the same to a page
    }
  }
}
