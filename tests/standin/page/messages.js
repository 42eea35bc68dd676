// The messages that the page shows, and those it has stored. After a reload a chat shows its last one alone; the others
// are found in the database. None of them is new then: `isNewMsg` is only ever set by the one who adds a message.

import { Collection, Model } from './emitter.js';
import { StoredMessages } from './finders.js';
import { MsgKey } from './identity.js';
import { MediaData } from './media.js';
import { settle } from './storage.js';

export const ACK = { FAILED: -1, CLOCK: 0, SENT: 1, RECEIVED: 2, READ: 3, PLAYED: 4 };
export const ACK_STRING = { SENDER: 'sender', DELIVERY: 'delivery', READ: 'read', PLAYED: 'played' };

export class Msg extends Model {
  static transfers = null;

  constructor(attributes) {
    super(attributes);
    if (this.mediaKey && !this.mediaData) this.mediaData = new MediaData(this);
  }

  get senderObj() {
    return { id: this.from, isMe: this.id.fromMe };
  }

  downloadMedia() {
    return Msg.transfers.down(this);
  }

  // What a reply to this message says about it.
  msgContextInfo() {
    return { quotedMsg: this, quotedStanzaID: this.id.id, quotedParticipant: this.from };
  }
}
Msg.prototype.proxyName = 'msg';

export class MsgCollectionImpl extends Collection {
  // `process` takes what comes in; wa-js looks at it first, by a wrapper on this object.
  constructor(process) {
    super({ repeated: ['ack', 'latestEditMsgKey', 'type'] });
    this.processMultipleMessages = (chat, messages) => process(chat, messages);
  }
}

export class Messages {
  all = new MsgCollectionImpl((chat, messages) => this.process(chat, messages));
  process = null; // set by whoever handles what comes in
  #chats;
  #database;

  constructor({ chats, database }) {
    this.#chats = chats;
    this.#database = database;
    this.stored = new StoredMessages(database);
  }

  async restore() {
    for (const chat of this.#chats.chats.getModelsArray()) {
      for (const attributes of await this.stored.last(chat.id)) this.show(attributes);
    }
  }

  show(attributes) {
    const chat = this.#chats.show(attributes.id.remote);
    const msg = new Msg(attributes);
    chat.msgs.add(msg);
    return this.all.add(msg);
  }

  // In the database first; the model, if this page shows the message, changes when that is certain.
  async change(key, changes, also = async () => {}) {
    const found = await this.#database.run('readwrite', async (store) => {
      await also(store);
      return this.stored.change(store, key, changes);
    });
    this.all.get(key)?.set(changes);
    return found;
  }

  // From this page alone, and what was still to be sent of it.
  async remove(key) {
    await this.#database.run('readwrite', async (store) => {
      await this.stored.remove(store, key);
      await settle(store('job').delete(key.id));
    });
    this.all.remove(key);
    this.#chats.chats.get(key.remote)?.msgs.remove(key);
  }

  // What wa-js asks for a message that is not shown. The collection fills while its promise is awaited.
  searchContext(key) {
    const collection = new Collection();
    collection.loadAroundPromise = this.stored.get(key).then((found) => { if (found) collection.add(new Msg(found)); });
    return { collection };
  }

  quoted({ id, quotedStanzaID }) {
    const keys = [true, false].map((fromMe) => new MsgKey({ id: quotedStanzaID, remote: id.remote, fromMe }));
    return this.all.get(keys[0]) ?? this.all.get(keys[1]);
  }
}
