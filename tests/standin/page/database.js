// Chats, messages, people and unfinished work beside the login, in a database of the real page's name: there again after
// a reload, and in the next browser on the same profile. Whoever writes here waits for the commit before telling anybody.

import { settle } from './storage.js';

const NAME = 'model-storage';
const STORES = ['message', 'chat', 'lid-pn-mapping', 'reactions', 'job'];

export class ModelDatabase {
  #opening = null;

  // All steps of `work` are one transaction: all of it is stored, or nothing. It may wait for requests and nothing else.
  async run(mode, work) {
    const database = await (this.#opening ??= this.#open());
    const transaction = database.transaction(STORES, mode);
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error ?? new Error('The transaction was given up.'));
    });
    done.catch(() => {}); // told below, or by the error that ends the work
    try {
      const result = await work((name) => transaction.objectStore(name));
      await done;
      return result;
    } catch (error) {
      try { transaction.abort(); } catch { /* it has ended by itself */ }
      throw error;
    }
  }

  all(name) {
    return this.run('readonly', (store) => settle(store(name).getAll()));
  }

  put(name, value) {
    return this.run('readwrite', (store) => settle(store(name).put(value)));
  }

  remove(name, key) {
    return this.run('readwrite', (store) => settle(store(name).delete(key)));
  }

  async close() {
    const opening = this.#opening;
    this.#opening = null;
    (await opening?.catch(() => null))?.close();
  }

  async destroy() {
    await this.close();
    const deletion = indexedDB.deleteDatabase(NAME);
    await new Promise((resolve) => { deletion.onsuccess = deletion.onerror = deletion.onblocked = resolve; });
  }

  async #open() {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => {
      const database = opening.result;
      for (const name of STORES.slice(1)) database.createObjectStore(name, { keyPath: 'id' });
      // `row` grows with each message: it orders those of one second.
      const messages = database.createObjectStore('message', { keyPath: 'row', autoIncrement: true });
      messages.createIndex('id', 'id', { unique: true });
      messages.createIndex('place', ['chat', 't', 'row']);
    };
    const database = await settle(opening);
    // Another tab logs out and deletes it: this one must not stand in the way.
    database.onversionchange = () => database.close();
    return database;
  }
}
