// Messages: incoming ones become models, outgoing ones go to the server, and receipts come back.

import { Collection, Model } from './emitter.js';
import { MsgKey, createWid } from './identity.js';
import { MediaData, encodeFile } from './media.js';

export const ACK = { FAILED: -1, CLOCK: 0, SENT: 1, RECEIVED: 2, READ: 3, PLAYED: 4 };
export const ACK_STRING = { SENDER: 'sender', DELIVERY: 'delivery', READ: 'read', PLAYED: 'played' };

const NAME_OF_LEVEL = { 2: ACK_STRING.DELIVERY, 3: ACK_STRING.READ, 4: ACK_STRING.PLAYED };

export class Msg extends Model {
  async downloadMedia() {
    return this.mediaData;
  }
}
Msg.prototype.proxyName = 'msg';

export class MsgCollectionImpl extends Collection {
  constructor() { super({ repeated: ['ack'] }); }
}

// wa-js wraps this function on its exports object, so receipts are handed over through the object.
export const receipts = {
  handleChatSimpleReceipt() {},
};

export class Messages {
  all = new MsgCollectionImpl();
  #chats;
  #connection;
  #self;
  #acks = new Map(); // message id → function that ends the wait for the server's ack

  constructor({ chats, connection, self }) {
    this.#chats = chats;
    this.#connection = connection;
    this.#self = self;
  }

  incoming({ id, from, t, kind, body, mimetype, filename, data }) {
    const sender = createWid(from);
    const { chat } = this.#chats.findOrCreate(sender);
    const mediaData = data === undefined ? undefined : MediaData.fromBase64({ data, mimetype });
    const msg = new Msg({
      id: new MsgKey({ id, remote: sender, fromMe: false }),
      from: sender, to: this.#self(), t, type: kind, body, mimetype, filename, mediaData,
      caption: mediaData ? body : undefined, ack: ACK.RECEIVED, isNewMsg: true,
    });
    this.#add(chat, msg);
    chat.set('unreadCount', chat.unreadCount + 1);
  }

  // The pair is wa-js's: the message once it is queued, and the server's word on it.
  send(chat, raw) {
    const msg = new Msg({ ...raw, isNewMsg: true });
    this.#add(chat, msg);
    return [Promise.resolve(msg), this.#deliver(chat, msg, null)];
  }

  // In a later turn: wa-js listens for the chat's new message only after this call has returned.
  async sendMedia(chat, fields, file, mediaData) {
    await null;
    const msg = new Msg({ ...fields, mediaData, isNewMsg: true });
    this.#add(chat, msg);
    return this.#deliver(chat, msg, file);
  }

  acknowledged({ id }) {
    this.#acks.get(id)?.();
    this.#acks.delete(id);
  }

  receipted({ ids, from, level }) {
    const sender = createWid(from);
    for (const id of ids) this.all.get(new MsgKey({ id, remote: sender, fromMe: true }))?.set('ack', level);
    receipts.handleChatSimpleReceipt({ ack: level, ackString: NAME_OF_LEVEL[level], from: sender, externalIds: ids });
  }

  #add(chat, msg) {
    chat.msgs.add(msg);
    this.all.add(msg);
  }

  async #deliver(chat, msg, file) {
    const { id } = msg.id;
    const taken = new Promise((resolve) => { this.#acks.set(id, resolve); });
    const content = file ? await encodeFile(file) : {};
    this.#connection.send({
      type: 'send', id, to: chat.id._serialized, kind: msg.type, body: msg.body ?? msg.caption ?? '', ...content,
    });
    await taken;
    msg.set('ack', ACK.SENT);
    return { messageSendResult: 'OK', t: msg.t };
  }
}
