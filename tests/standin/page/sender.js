// What the page's own functions for sending do: make the frame of a message, keep both, and hand back wa-js's pair.

import { MsgKey } from './identity.js';
import { hexToBase64 } from './media.js';
import { ACK, Msg } from './messages.js';

const target = ({ id, fromMe }) => ({ id, fromMe });

function frameOf(msg) {
  const { id, type, body, caption, subtype, mimetype, filename, duration, mediaKey, quotedStanzaID, mentionedJidList } = msg;
  const frame = {
    type: 'send', id: id.id, to: String(id.remote), kind: type, body: body ?? caption ?? '',
    subtype: subtype || undefined, mimetype, filename, duration, media: mediaKey, quoted: quotedStanzaID,
    mentioned: mentionedJidList?.length ? mentionedJidList.map(String) : undefined,
    forwarded: msg.isForwarded || undefined, score: msg.forwardingScore, lat: msg.lat, lng: msg.lng, location: msg.loc || undefined,
    name: msg.vcardFormattedName, vcards: msg.vcardList,
    preview: msg.matchedText && { url: msg.matchedText, title: msg.title, description: msg.description },
    target: msg.protocolMessageKey && target(msg.protocolMessageKey),
  };
  return JSON.parse(JSON.stringify(frame)); // without what is undefined: the database would keep it
}

export class Sender {
  #chats;
  #messages;
  #outbox;
  #transfers;
  #connection;
  #self;

  constructor({ chats, messages, outbox, transfers, connection, self }) {
    this.#chats = chats;
    this.#messages = messages;
    this.#outbox = outbox;
    this.#transfers = transfers;
    this.#connection = connection;
    this.#self = self;
  }

  // The pair is wa-js's: the message once it is queued, and the server's word on it.
  send(chat, raw) {
    const msg = new Msg(raw);
    const { kept, result } = this.#post(msg);
    return [kept.then(() => this.#messages.show({ ...raw, isNewMsg: true })), kept.then(() => result)];
  }

  // Shown while it goes up, and in a later turn: wa-js listens for the chat's new message after this call has returned.
  async sendMedia(fields, file, mediaData) {
    await null;
    const msg = this.#messages.show({ ...fields, mediaData, isNewMsg: true });
    const { media, size, sha256, link } = await this.#transfers.up(file);
    msg.set({ mediaKey: media, size, filehash: hexToBase64(sha256), directPath: link });
    const { kept, result } = this.#post(msg);
    await kept;
    return result;
  }

  async edit(msg, raw) {
    const changes = { body: raw.body, latestEditMsgKey: raw.id, latestEditSenderTimestampMs: raw.t * 1000 };
    if (msg.caption !== undefined) changes.caption = raw.body;
    await this.#change(msg, changes, { ...raw, type: 'protocol', protocolMessageKey: msg.id });
  }

  async revoke(list) {
    for (const msg of list) {
      const raw = { id: this.#newKey(msg), type: 'protocol', subtype: 'sender_revoke', protocolMessageKey: msg.id };
      await this.#change(msg, { type: 'revoked', body: '', caption: undefined }, raw);
    }
  }

  async forward(chat, msgs) {
    for (const { attributes } of msgs) {
      const id = new MsgKey({ id: MsgKey.newId(), remote: chat.id, fromMe: true });
      const t = Math.floor(Date.now() / 1000);
      const raw = { ...attributes, id, t, from: this.#self(), to: chat.id, ack: ACK.CLOCK, isForwarded: true };
      await this.send(chat, raw)[0];
    }
  }

  // Resolves with the server's word on it, as the others do. `also` keeps the reaction in the same transaction.
  async react(msg, text, also) {
    const id = this.#newKey(msg);
    const frame = frameOf({ id, type: 'reaction', body: text, protocolMessageKey: msg.id });
    const { kept, result } = this.#outbox.post({ frame, also: (store) => also(store, id) });
    await kept;
    return result;
  }

  // The chat's messages are read, and whoever wrote them is told so.
  async seen(chat) {
    if (!chat.hasUnread) return;
    await this.#chats.mark(chat, 0);
    this.signal('read', { to: String(chat.id), last: chat.lastReceivedKey?.id });
  }

  signal(kind, more) {
    return this.#connection.send({ type: 'signal', kind, ...more });
  }

  #newKey(msg) {
    return new MsgKey({ id: MsgKey.newId(), remote: msg.id.remote, fromMe: true });
  }

  #post(msg) {
    const { attributes } = msg;
    const chat = this.#chats.show(msg.id.remote);
    return this.#outbox.post({
      frame: frameOf(msg), key: msg.id, also: async (store) => {
        await this.#messages.stored.insert(store, attributes);
        store('chat').put(this.#chats.record(chat));
      },
    });
  }

  async #change(msg, changes, raw) {
    const { kept, result } = this.#outbox.post({
      frame: frameOf(raw), also: (store) => this.#messages.stored.change(store, msg.id, changes),
    });
    await kept;
    this.#messages.all.get(msg.id)?.set(changes);
    await result;
  }
}
