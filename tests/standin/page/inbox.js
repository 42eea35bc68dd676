// What comes in: stored first, told to the server then, and shown last. A page that dies in between has a message that
// nobody was told about; one that dies before gets it again. All of it goes one after the other, in the server's order.

import { MsgKey, createWid } from './identity.js';
import { hexToBase64 } from './media.js';
import { ACK, ACK_STRING } from './messages.js';
import { settle } from './storage.js';

const NAME_OF_LEVEL = { 2: ACK_STRING.DELIVERY, 3: ACK_STRING.READ, 4: ACK_STRING.PLAYED };
const REVOKES = ['sender_revoke', 'revoke', 'admin_revoke'];

// wa-js wraps this function on its exports object, so receipts are handed over through the object.
export const receipts = {
  handleChatSimpleReceipt() {},
};

export class Inbox {
  #chats;
  #connection;
  #database;
  #messages;
  #people;
  #reactions;
  #self;
  #queue = Promise.resolve();

  constructor({ chats, connection, database, messages, people, reactions, self }) {
    Object.assign(messages, { process: (_chat, list) => this.#process(list) });
    this.#chats = chats;
    this.#connection = connection;
    this.#database = database;
    this.#messages = messages;
    this.#people = people;
    this.#reactions = reactions;
    this.#self = self;
  }

  // An error ends its own step alone, and is reported: what was not stored the server brings again.
  enqueue(step) {
    this.#queue = this.#queue.then(step).catch((error) => { queueMicrotask(() => { throw error; }); });
    return this.#queue;
  }

  message(frame) {
    return this.enqueue(async () => {
      await this.#people.learn({ ...frame, byLid: frame.from.endsWith('@lid') });
      const attributes = this.#attributes(frame);
      await this.#messages.all.processMultipleMessages(attributes.id.remote, [{ ...attributes, isNewMsg: true }]);
    });
  }

  // What the phone had before the linking is new to nobody. A chat shows its last message, as after a reload.
  history({ chunk, messages }) {
    return this.enqueue(async () => {
      for (const frame of messages) await this.#people.learn({ ...frame, byLid: frame.from.endsWith('@lid') });
      const all = messages.map((frame) => this.#attributes(frame));
      for (const { id } of all) this.#chats.show(id.remote);
      await this.#database.run('readwrite', async (store) => {
        for (const attributes of all) {
          await this.#messages.stored.insert(store, attributes);
          await settle(store('chat').put(this.#chats.record(this.#chats.show(attributes.id.remote))));
        }
      });
      this.#connection.send({ type: 'history-stored', chunk });
      await this.#messages.restore();
    });
  }

  receipt({ ids, from, level, stanza }) {
    return this.enqueue(async () => {
      const remote = createWid(from);
      const keys = ids.map((id) => new MsgKey({ id, remote, fromMe: true }));
      const raised = await this.#database.run('readwrite', async (store) => {
        const found = [];
        for (const key of keys) if (await this.#messages.stored.raise(store, key, level)) found.push(key);
        return found;
      });
      this.#stored(stanza);
      for (const key of raised) this.#messages.all.get(key)?.set('ack', level);
      receipts.handleChatSimpleReceipt({ ack: level, ackString: NAME_OF_LEVEL[level], from: remote, externalIds: ids });
    });
  }

  async #process(list) {
    for (const { stanza, ...attributes } of list) {
      if (attributes.type === 'reaction') await this.#reacted(attributes, stanza);
      else if (attributes.type === 'protocol') await this.#protocol(attributes, stanza);
      else await this.#arrived(attributes, stanza);
    }
  }

  async #arrived(attributes, stanza) {
    const chat = this.#chats.show(attributes.id.remote);
    const unread = attributes.id.fromMe ? 0 : 1;
    const fresh = await this.#database.run('readwrite', async (store) => {
      const inserted = await this.#messages.stored.insert(store, attributes);
      if (inserted) await settle(store('chat').put(this.#chats.record(chat, { unread })));
      return inserted;
    });
    if (!fresh) await this.#filled(attributes);
    this.#stored(stanza);
    if (!fresh) return;
    this.#messages.show(attributes);
    chat.set('unreadCount', this.#chats.record(chat, { unread }).unreadCount);
  }

  // The content of a message that could not be read so far; any other message that is there already has come twice.
  async #filled({ id, isNewMsg, ...content }) {
    const held = await this.#messages.stored.get(id);
    if (held?.type === 'ciphertext' && content.type !== 'ciphertext') await this.#messages.change(id, content);
  }

  async #protocol({ id, t, subtype, body, protocolMessageKey: key }, stanza) {
    if (REVOKES.includes(subtype)) {
      await this.#messages.change(key, { type: 'revoked', body: '', caption: undefined });
    } else {
      const held = await this.#messages.stored.get(key);
      const caption = held?.caption === undefined ? {} : { caption: body };
      const edited = { body, ...caption, latestEditMsgKey: id, latestEditSenderTimestampMs: t * 1000 };
      await this.#messages.change(key, edited);
    }
    this.#stored(stanza);
  }

  async #reacted({ id, t, body, protocolMessageKey, author }, stanza) {
    const told = this.#reactions.told({ id, t, parent: protocolMessageKey, text: body, sender: author });
    await this.#database.run('readwrite', (store) => this.#reactions.keep(store, told));
    this.#stored(stanza);
    this.#reactions.show(told);
  }

  #stored(stanza) {
    if (stanza) this.#connection.send({ type: 'stored', stanza });
  }

  #attributes({ stanza, id, from, own, t, kind, body, subtype, target, quoted, media, link, sha256, ...rest }) {
    const remote = this.#chats.resolve(createWid(from));
    const me = this.#self();
    const author = own ? me : remote;
    const { mimetype, filename, size, lat, lng, forwarded } = rest;
    const attributes = {
      id: new MsgKey({ id, remote, fromMe: Boolean(own) }), stanza, from: author, to: own ? remote : me, author, t,
      type: kind, body, subtype, mimetype, filename, lat, lng, isForwarded: forwarded, ack: own ? ACK.SENT : ACK.RECEIVED,
      protocolMessageKey: target && new MsgKey({ id: target.id, remote, fromMe: target.fromMe }),
      ...(quoted ? { quotedStanzaID: quoted, quotedParticipant: remote } : {}),
      ...(media ? { mediaKey: media, directPath: link, size, filehash: hexToBase64(sha256), caption: body } : {}),
    };
    return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
  }
}
