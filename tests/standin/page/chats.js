// Chats and contacts: made when first needed, and known to wa-js by their collections.

import { Collection, Model } from './emitter.js';

export class Chat extends Model {
  get isUser() { return this.id?.isUser(); }
  get isGroup() { return this.id?.isGroup(); }
  get hasUnread() { return this.unreadCount > 0; }
  get lastReceivedKey() { return this.msgs?.getModelsArray().at(-1)?.id; }
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

  // `wid` is whom the chat is with. Both collections learn of a new one, as in an account with history.
  findOrCreate(wid) {
    const known = this.chats.get(wid);
    if (known) return { chat: known, created: false };
    const chat = new Chat({ id: wid, msgs: new Collection(), unreadCount: 0, active: false, archive: false });
    this.chats.add(chat);
    if (wid.isUser()) this.contacts.add(new Contact({ id: wid, name: wid.user, isMyContact: true }));
    return { chat, created: true };
  }
}
