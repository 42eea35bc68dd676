// The login, kept in two halves as the real page does: localStorage and IndexedDB. A profile that lost one of them is
// not registered. Nothing is encrypted here; the keys are random bytes that the server compares.

const DATABASE = 'signal-storage';
const STORE = 'signal-meta-store';
const RECORD = 'registration';
const LOCAL = ['WANoiseInfo', 'WebEncKeySalt', 'last-wid-md'];

const encode = (bytes) => btoa(String.fromCharCode(...bytes));
export const decode = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
export { encode };

const newKey = () => encode(crypto.getRandomValues(new Uint8Array(32)));

export function settle(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function withStore(mode, work) {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await settle(opening);
  try {
    const transaction = database.transaction(STORE, mode);
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const result = await settle(work(transaction.objectStore(STORE)));
    await done;
    return result;
  } finally {
    database.close();
  }
}

function readLocal() {
  try {
    return JSON.parse(localStorage.getItem('WANoiseInfo'));
  } catch {
    return null; // cut off in the middle by a kill: as good as lost
  }
}

export class LoginStore {
  registered = false;
  damaged = false; // one half without the other
  noiseKey = newKey();
  identityKey = newKey();
  advSecret = newKey();
  device = null;
  number = null;

  get profile() {
    let profile = localStorage.getItem('WABrowserId');
    if (!profile) localStorage.setItem('WABrowserId', profile = crypto.randomUUID());
    return profile;
  }

  async read() {
    const local = readLocal();
    const indexed = await withStore('readonly', (store) => store.get(RECORD)) ?? null;
    this.damaged = Boolean(local) !== Boolean(indexed);
    if (!local || !indexed) return;
    Object.assign(this, {
      registered: true,
      noiseKey: local.publicKey,
      identityKey: indexed.identityKey,
      device: local.device,
      number: indexed.number,
    });
  }

  // The order is the real page's: the database first, so that `registered` is never claimed for half a login.
  async write({ device, number }) {
    const { identityKey } = this;
    await withStore('readwrite', (store) => store.put({ identityKey, number }, RECORD));
    localStorage.setItem('WANoiseInfo', JSON.stringify({ publicKey: this.noiseKey, device }));
    localStorage.setItem('WebEncKeySalt', newKey());
    localStorage.setItem('last-wid-md', JSON.stringify(`${number}@c.us`));
    Object.assign(this, { registered: true, device, number });
    navigator.storage?.persist?.();
  }

  // localStorage goes at once, the database needs a moment: whoever logs out waits for it before leaving.
  async clear() {
    for (const name of LOCAL) localStorage.removeItem(name);
    this.registered = false;
    await withStore('readwrite', (store) => store.clear());
    const deletion = indexedDB.deleteDatabase(DATABASE);
    // Another tab may hold it for a moment; it is empty by now, so nothing has to wait for that tab.
    await new Promise((resolve) => { deletion.onsuccess = deletion.onerror = deletion.onblocked = resolve; });
  }
}
