// Chats and contacts: made when first needed, there again after a reload, and known to wa-js by their collections.

import { Collection, Model } from './emitter.js';
import { createWid } from './identity.js';

export class Chat extends Model {
  get isUser() { return this.id?.isUser(); }
  get isGroup() { return this.id?.isGroup(); }
  get hasUnread() { return this.unreadCount !== 0; }

  // By time, and the later arrival of one second: a message that comes late is not the chat's last.
  get lastReceivedKey() {
    return this.msgs?.getModelsArray().reduce((last, msg) => (last && last.t > msg.t ? last : msg), null)?.id;
  }
}
Chat.prototype.proxyName = 'chat';

export class Contact extends Model {}

export class ChatCollectionImpl extends Collection {
  constructor() { super({ repeated: ['unreadCount', 'active'] }); }
}

export class ContactCollectionImpl extends Collection {}

export class Chats {
  chats = new ChatCollectionImpl();
  contacts = new ContactCollectionImpl();
  #database;
  #people;
  #presences;

  constructor({ database, people, presences }) {
    this.#database = database;
    this.#people = people;
    this.#presences = presences;
  }

  async restore() {
    for (const { id, ...kept } of await this.#database.all('chat')) this.show(createWid(id), kept);
  }

  // One chat per person: the one that there is, under number or LID, or the one to be made.
  resolve(wid) {
    if (this.chats.get(wid)) return wid;
    const other = this.#people.other(wid);
    return other && this.chats.get(other) ? other : this.#people.addressed(wid);
  }

  // Both collections learn of a new one, as in an account with history.
  show(id, kept = {}) {
    const known = this.chats.get(id);
    if (known) return known;
    const presence = this.#presences.of(id);
    const chat = new Chat({ id, msgs: new Collection(), unreadCount: 0, active: false, archive: false, presence, ...kept });
    this.chats.add(chat);
    if (id.isUser()) this.contacts.add(new Contact({ id, name: id.user, isMyContact: true }));
    return chat;
  }

  record(chat, { unread = 0 } = {}) {
    return { id: String(chat.id), unreadCount: unread ? Math.max(chat.unreadCount, 0) + unread : chat.unreadCount, archive: chat.archive };
  }

  async findOrCreate(wid) {
    const id = this.resolve(wid);
    const created = !this.chats.get(id);
    const chat = this.show(id);
    if (created) await this.#database.put('chat', this.record(chat));
    return { chat, created };
  }

  // -1 is a chat that somebody marked as unread.
  async mark(chat, unreadCount) {
    chat.set('unreadCount', unreadCount);
    await this.#database.put('chat', this.record(chat));
  }
}
