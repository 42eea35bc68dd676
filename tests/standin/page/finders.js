// Messages found in the database, by the names of either generation of the page: the order of a chat is its messages'
// time, and for those of one second the order of their arrival.

import { MsgKey } from './identity.js';
import { attributesOf, changedRecord, recordOf } from './records.js';
import { settle } from './storage.js';

const BEYOND = []; // an array is greater than every number in the order of keys

function walk(source, range, direction, count) {
  return new Promise((resolve, reject) => {
    const found = [];
    const request = source.openCursor(range, direction);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const cursor = request.result;
      if (cursor && found.length < count) {
        found.push(cursor.value);
        cursor.continue();
      } else {
        resolve(found);
      }
    };
  });
}

const byId = (store, id) => settle(store('message').index('id').get(id));

export class StoredMessages {
  #database;

  constructor(database) {
    this.#database = database;
  }

  // In the caller's transaction. False when the message is there already: the server may bring it twice.
  async insert(store, attributes) {
    if (await byId(store, attributes.id._serialized)) return false;
    await settle(store('message').add(recordOf(attributes)));
    return true;
  }

  async change(store, key, attributes) {
    const record = await byId(store, key._serialized);
    if (!record) return false;
    await settle(store('message').put(changedRecord(record, attributes)));
    return true;
  }

  // Receipts come in any order: a message that was read is not delivered afterwards.
  async raise(store, key, ack) {
    const record = await byId(store, key._serialized);
    if (!record || record.fields.ack >= ack) return false;
    await settle(store('message').put(changedRecord(record, { ack })));
    return true;
  }

  async remove(store, key) {
    const record = await byId(store, key._serialized);
    if (record) await settle(store('message').delete(record.row));
  }

  async get(key) {
    const record = await this.#database.run('readonly', (store) => byId(store, key._serialized));
    return record && attributesOf(record);
  }

  last(chat) {
    return this.near({ chat, count: 1, direction: 'before' });
  }

  // Up to `count` messages beside the anchor, without it, oldest first. Without an anchor from the chat's end or start.
  near({ chat, anchor, count, direction }) {
    return this.#database.run('readonly', async (store) => {
      const beside = anchor && await byId(store, anchor._serialized);
      if (anchor && !beside) return [];
      const name = beside?.chat ?? chat._serialized;
      const place = beside ? [name, beside.t, beside.row] : null;
      const source = store('message').index('place');
      if (direction === 'after') {
        const range = IDBKeyRange.bound(place ?? [name], [name, BEYOND], place !== null, true);
        return (await walk(source, range, 'next', count)).map(attributesOf);
      }
      const range = IDBKeyRange.bound([name], place ?? [name, BEYOND], false, true);
      return (await walk(source, range, 'prev', count)).reverse().map(attributesOf);
    });
  }
}

const MEDIA = ['image', 'video', 'audio', 'ptt', 'document', 'sticker'];

// The older page has one function for all; its second argument is a key with `count`, or {remote, count}.
export function legacyFinders(stored) {
  const msgFindQuery = async (what, { count, direction = what, ...place }) => {
    const anchor = place._serialized ? MsgKey.fromString(place._serialized) : undefined;
    const wanted = { chat: place.remote, anchor, count, direction };
    if (what === 'before' || what === 'after') return stored.near(wanted);
    const types = what === 'media' ? MEDIA : [what];
    const found = (await stored.near({ ...wanted, count: Infinity })).filter(({ type }) => types.includes(type));
    const messages = direction === 'after' ? found.slice(0, count) : found.slice(-count);
    return what === 'media' ? { messages } : messages;
  };
  return { msgFindQuery, getMsgsByMsgKey: (keys) => Promise.all(keys.map((key) => stored.get(key))) };
}

export function modernFinders(stored) {
  const msgFindByDirection = ({ anchor, count, direction }) => stored.near({ anchor, count, direction });
  return {
    msgFindByDirection,
    msgFindBefore: ({ anchor, count }) => msgFindByDirection({ anchor, count, direction: 'before' }),
    msgFindAfter: ({ anchor, count }) => msgFindByDirection({ anchor, count, direction: 'after' }),
  };
}
