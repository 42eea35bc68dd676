// One tab per browser profile: a starting page asks through localStorage whether another one lives, and takes over.
// The key holds the JSON string "TAB:MESSAGE"; other tabs hear of a change by `storage` events.

const KEY = 'whatsapp-mutex';
const TAKEN_OVER = 'local-takeover-ok';
const NO_TAKEOVER = 'no-takeover';
const RENEWAL = 10 * 60 * 1000;
const TAKEOVER_PATIENCE = 30 * 1000;
const ROUNDS = 3;

const random = () => crypto.randomUUID().slice(0, 8);

function read(raw) {
  try {
    const [tab, message] = JSON.parse(raw).split(':');
    return { tab, message };
  } catch {
    return null;
  }
}

// Resolves with true when a storage event fits, with false when none did in time.
function heard(fits, milliseconds) {
  return new Promise((resolve) => {
    const end = (result) => {
      window.removeEventListener('storage', listener);
      clearTimeout(timer);
      resolve(result);
    };
    const listener = (event) => { if (fits(event)) end(true); };
    const timer = setTimeout(() => end(false), milliseconds);
    window.addEventListener('storage', listener);
  });
}

export class TabMutex {
  #tab = random();
  #held = false;
  #answer;
  #onEvicted;

  constructor({ answer, onEvicted }) {
    this.#answer = answer;
    this.#onEvicted = onEvicted;
    window.addEventListener('storage', (event) => this.#hear(event));
    window.addEventListener('pagehide', () => { if (this.#held) localStorage.removeItem(KEY); });
    setInterval(() => { if (this.#held) this.#write(`init_${Date.now()}`); }, RENEWAL);
  }

  get value() {
    return localStorage.getItem(KEY) ?? '';
  }

  get held() {
    return this.#held && read(this.value)?.tab === this.#tab;
  }

  setNoTakeover(wanted) {
    if (wanted) localStorage.setItem(NO_TAKEOVER, 'true');
    else localStorage.removeItem(NO_TAKEOVER);
  }

  // True when this tab may connect. The one-shot flag makes it give way instead of taking over.
  async acquire() {
    const givesWay = localStorage.getItem(NO_TAKEOVER) !== null;
    this.setNoTakeover(false);
    for (let round = 0; round < ROUNDS && this.value; round += 1) {
      const answered = heard((event) => event.key === KEY && this.#foreign(event.newValue), this.#answer);
      this.#write(`ping${random()}`);
      if (!await answered) break;
      if (givesWay) return false;
      const gone = heard((event) => event.key === TAKEN_OVER, TAKEOVER_PATIENCE);
      this.#write('local-takeover');
      await gone;
      localStorage.removeItem(KEY);
    }
    this.#held = true;
    this.#write(`init_${Date.now()}`);
    return true;
  }

  // What another tab of this profile does when it starts: it takes over and goes on holding the mutex.
  giveToOther() {
    const other = random();
    const say = (message) => localStorage.setItem(KEY, JSON.stringify(`${other}:${message}`));
    say('local-takeover');
    this.#hear({ key: KEY, newValue: this.value });
    say(`init_${Date.now()}`);
  }

  #hear({ key, newValue }) {
    if (key !== KEY || !this.#held || !this.#foreign(newValue)) return;
    const { message } = read(newValue);
    if (message.startsWith('ping')) this.#write(`pong${random()}`);
    if (message !== 'local-takeover') return;
    this.#held = false;
    localStorage.setItem(TAKEN_OVER, this.#tab);
    localStorage.removeItem(TAKEN_OVER);
    this.#onEvicted();
  }

  #foreign(raw) {
    const told = read(raw);
    return told !== null && told.tab !== this.#tab;
  }

  #write(message) {
    localStorage.setItem(KEY, JSON.stringify(`${this.#tab}:${message}`));
  }
}
