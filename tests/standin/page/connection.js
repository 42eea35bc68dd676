// The page's socket: connect, say hello, hand frames on, connect again with growing pauses.
// `comms` is what `WAComms.getComms()` shows: null when stopped for good, an object without socket when another tab took
// over. Those two differ because the reference tells the two conflicts apart by exactly that.

const jitter = () => 0.9 + 0.2 * Math.random();

export class Connection {
  comms = null;
  #state;
  #hello;
  #onFrame;
  #network;
  #timing;
  #announce;
  #timer = null;
  #watch = null; // ends a socket that went silent
  #pauses = [1, 1]; // the last two Fibonacci numbers

  constructor({ state, hello, onFrame, network, timing, announce }) {
    this.#state = state;
    this.#hello = hello;
    this.#onFrame = onFrame;
    this.#network = network;
    this.#timing = timing;
    this.#announce = announce;
    // Back online: no reason to sit out a long pause.
    state.network.on('change:online', (_model, online) => {
      if (online && this.comms && !this.comms.socket) this.#attempt();
    });
  }

  start() {
    if (this.comms) return;
    this.comms = { socket: null };
    this.settled();
    this.#attempt();
  }

  stop() {
    this.#end();
    this.comms = null;
  }

  // Another tab took over: the loop ends, the object stays.
  surrender() {
    this.#end();
  }

  // The server asked for a fresh connection, as it does after pairing: at once, without a pause.
  restart() {
    if (!this.comms) return;
    this.#end();
    this.#attempt();
  }

  send(frame) {
    if (this.comms?.socket?.readyState !== WebSocket.OPEN) return false;
    this.comms.socket.send(JSON.stringify(frame));
    return true;
  }

  // The connection proved itself: the next drop starts with the shortest pause again.
  settled() {
    this.#pauses = [1, 1];
  }

  #attempt() {
    clearTimeout(this.#timer);
    const comms = this.comms;
    const { device, ...hello } = this.#hello();
    const query = device ? `?device=${encodeURIComponent(device)}` : '';
    const socket = new WebSocket(`wss://${location.host}/ws/chat${query}`);
    comms.socket = socket;
    this.#state.socket.set('state', 'OPENING');
    this.#announce.backend('open_socket_stream');
    // A late event of a socket that was given up says nothing about the present one.
    const current = () => this.comms === comms && comms.socket === socket;
    socket.onopen = () => {
      if (!current()) return;
      this.#state.socket.set('state', 'PAIRING');
      this.#heard();
      this.send({ type: 'hello', device, ...hello });
    };
    socket.onmessage = ({ data }) => {
      if (!current()) return;
      this.#heard();
      const frame = JSON.parse(data);
      if (frame.type !== 'pong') this.#onFrame(frame);
    };
    socket.onclose = () => { if (current()) this.#lost(); };
  }

  // A network that died without a goodbye closes no socket: ask in time, and give up when no answer comes.
  #heard() {
    clearTimeout(this.#watch);
    const half = this.#timing.silence / 2;
    this.#watch = setTimeout(() => {
      this.send({ type: 'ping' });
      this.#watch = setTimeout(() => {
        this.comms?.socket?.close();
        if (this.comms) this.#lost();
      }, half);
    }, half);
  }

  #lost() {
    clearTimeout(this.#watch);
    this.comms.socket = null;
    this.#disconnected();
    const pause = Math.min(this.#pauses[0] * this.#timing.backoff_base, this.#timing.backoff_limit) * jitter();
    this.#pauses = [this.#pauses[1], this.#pauses[0] + this.#pauses[1]];
    this.#timer = setTimeout(() => this.#attempt(), pause);
    this.#network.check();
  }

  #end() {
    clearTimeout(this.#timer);
    clearTimeout(this.#watch);
    const socket = this.comms?.socket;
    if (this.comms) this.comms.socket = null;
    socket?.close();
    this.#disconnected();
  }

  #disconnected() {
    this.#state.socket.set('stream', 'DISCONNECTED');
    this.#announce.backend('socket_stream_disconnected');
  }
}
