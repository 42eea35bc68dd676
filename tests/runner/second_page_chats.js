// The second page's chats: the modules that wa-js needs for them and no more. It has no store but what it shows, none of the
// page's functions that search one, and its ids have no other parts than their text.

window.secondChats = ({ Emitter, Model, generation }) => {
  const textOf = (key) => (typeof key === 'string' ? key : key._serialized ?? textOf(key.id));
  class Collection extends Emitter {
    models = new Map();
    get(key) { return this.models.get(textOf(key)); }
    add(model) {
      this.models.set(textOf(model), model);
      this.trigger('add', model);
      return model;
    }
    getModelsArray() { return [...this.models.values()]; }
  }
  class ChatCollectionImpl extends Collection {}
  class MsgCollectionImpl extends Collection {}
  class ContactCollectionImpl extends Collection {}
  class Chat extends Model {}
  class Msg extends Model {}
  Chat.prototype.proxyName = 'chat';
  Msg.prototype.proxyName = 'msg';

  class Wid {
    constructor(text) { this._serialized = text; }
    static isXWid(server, value) { return value instanceof Wid && value._serialized.endsWith(`@${server}`); }
    toString() { return this._serialized; }
    equals(other) { return textOf(other) === this._serialized; }
    isGroup() { return this._serialized.endsWith('@g.us'); }
    isLid() { return this._serialized.endsWith('@lid'); }
    isBot() { return false; }
    isNewsletter() { return false; }
  }
  class MsgKey {
    constructor(parts) {
      if (!parts) throw new Error('MsgKey error: obj is null/undefined');
      Object.assign(this, parts);
      this._serialized = [parts.fromMe, parts.remote, parts.id].join('_');
    }
    static newId() { return `3EB0${crypto.randomUUID()}`; }
    static fromString(text) {
      const [fromMe, remote, id] = text.split('_');
      return new MsgKey({ id, remote: new Wid(remote), fromMe: fromMe === 'true' });
    }
    toString() { return this._serialized; }
  }

  const chats = new ChatCollectionImpl();
  const messages = new MsgCollectionImpl();
  const sent = [];
  const held = new Map(); // chat -> what ends its hanging
  const chatOf = (id) => chats.get(id) ?? chats.add(new Chat({ id, t: 1_800_000_000, unreadCount: 0, msgs: new Collection() }));
  const show = (raw) => {
    const message = new Msg({ ack: 0, body: '', isNewMsg: true, latestEditMsgKey: undefined, ...raw });
    chatOf(raw.id.remote).msgs.add(message);
    return messages.add(message);
  };
  const send = (chat, raw) => {
    sent.push([raw.id.id, String(chat.id), raw.body]);
    const message = show(raw);
    message.set({ ack: 1 });
    messages.trigger('change:ack', message, 1);
    return [Promise.resolve(message), Promise.resolve({ messageSendResult: 'OK' })];
  };

  return {
    modules: {
      WAWebWid: { default: Wid },
      WAWebWidFactory: { createWid: (text) => new Wid(String(text)), createWidFromWidLike: (one) => new Wid(textOf(one)), isWidlike: (one) => one instanceof Wid, createUserWidOrThrow: (text) => new Wid(text) },
      WAWebMsgKey: { default: MsgKey },
      WAWebAck: { ACK: { CLOCK: 0, SENT: 1 }, ACK_STRING: {} },
      WATimeUtils: { unixTime: () => 1_800_000_000 },
      WAWebGetEphemeralFieldsMsgActionsUtils: { getEphemeralFields: () => ({}) },
      WAWebFindChatAction: { findOrCreateLatestChat: async (id) => {
        await held.get(String(id))?.promise;
        return { chat: { id: chatOf(id).id }, created: false };
      } },
      WAWebChatModel: { Chat },
      WAWebMsgModel: { Msg },
      WAWebChatCollection: { ChatCollection: chats, ChatCollectionImpl },
      WAWebMsgCollection: { MsgCollection: messages, MsgCollectionImpl },
      ...(generation === 'modern' ? { WAWebContactCollection: { ContactCollection: new ContactCollectionImpl(), ContactCollectionImpl } } : {}),
      WAWebSendMsgChatAction: { addAndSendMsgToChat: send },
      WAWebHandleDirectChatReceipt: { handleChatSimpleReceipt() {} },
    },
    controls: {
      comes: (id, { from, fromMe = false, ...more }) => { show({ id: new MsgKey({ id, remote: new Wid(from), fromMe }), type: 'chat', t: 1_800_000_000, from: new Wid(from), ...more }); },
      becomes: (key, changes) => {
        const message = messages.get(key);
        message.set(changes);
        for (const name of Object.keys(changes)) messages.trigger(`change:${name}`, message, changes[name]);
      },
      receipt: (id, from, ack) => { window.require('WAWebHandleDirectChatReceipt').handleChatSimpleReceipt({ ack, ackString: 'x', from: new Wid(from), externalIds: [id] }); },
      sent: () => sent,
      hangs: (id) => { held.set(id, Promise.withResolvers()); },
      goesOn: (id) => { held.get(id).resolve(); },
      fails: (id) => { held.get(id).reject(new Error('it cannot be found')); },
    },
  };
};
