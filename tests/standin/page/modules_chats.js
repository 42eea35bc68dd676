// The modules about chats and messages, under the real page's ids where those are known (see modules.js).

import { CALL_STATES, CallCollectionImpl } from './calls.js';
import { Chat, ChatCollectionImpl, ContactCollectionImpl } from './chats.js';
import { legacyFinders, modernFinders } from './finders.js';
import { MsgKey, Wid, createWid, widFactory } from './identity.js';
import { receipts } from './inbox.js';
import { define } from './loader.js';
import { MediaPrep, OpaqueData } from './media.js';
import { ACK, ACK_STRING, Msg, MsgCollectionImpl } from './messages.js';
import { chatPresence } from './presence.js';
import { ProfilePicThumbCollectionImpl, TextStatusCollectionImpl } from './profiles.js';
import { reactionsModel } from './reactions.js';

export function defineChats({ mode, announce, talk }) {
  defineVocabulary();
  defineStores(talk);
  defineFinders({ mode, talk });
  defineSending({ mode, announce, talk });
  defineOthers(talk);
}

function defineVocabulary() {
  define('WAWebWid', { default: Wid });
  define('WAWebWidFactory', widFactory);
  define('WAWebMsgKey', { default: MsgKey });
  define('WAWebAck', { ACK, ACK_STRING });
  define('WAWebMsgType', { MSG_TYPE: { CHAT: 'chat', REVOKED: 'revoked', CALL_LOG: 'call_log' } });
  define('WAWebSendMsgResultAction', { SendMsgResult: { OK: 'OK', ERROR_UNKNOWN: 'ERROR_UNKNOWN' } });
  define('WATimeUtils', { unixTime: () => Math.floor(Date.now() / 1000) });
  define('WAWebGetEphemeralFieldsMsgActionsUtils', { getEphemeralFields: () => ({}) });
}

function defineStores({ chats, messages }) {
  define('WAWebChatModel', { Chat });
  define('WAWebChatCollection', { ChatCollection: chats.chats, ChatCollectionImpl });
  define('WAWebContactCollection', { ContactCollection: chats.contacts, ContactCollectionImpl });
  define('WAWebFindChatAction', { findOrCreateLatestChat: (wid) => chats.findOrCreate(wid) });
  define('WAWebMsgModel', { Msg });
  define('WAWebMsgCollection', { MsgCollection: messages.all, MsgCollectionImpl });
}

function defineFinders({ mode, talk: { messages } }) {
  if (mode === 'modern') {
    define('WAWebDBMessageFindLocal', modernFinders(messages.stored));
    define('WAWebChatMessageSearch', { getSearchContext: ({ msgKey }) => messages.searchContext(msgKey) });
  } else {
    define('WAWebMsgFindQuery', legacyFinders(messages.stored));
    define('WAWebChatMessageSearch', { getSearchContext: (_chat, msgKey) => messages.searchContext(msgKey) });
  }
  define('WAWebQuotedMsgModelUtils', { getQuotedMsgObj: (msg) => messages.quoted(msg) });
}

function defineSending({ mode, announce, talk: { chats, messages, reactions, self, sender } }) {
  define('WAWebSendMsgChatAction', { addAndSendMsgToChat: (chat, raw) => sender.send(chat, raw) });
  define('WAWebHandleDirectChatReceipt', receipts);
  define('WAWebMsgActionCapability', {
    canReplyMsg: ({ type }) => type !== 'revoked',
    canEditText: ({ id, type }) => id.fromMe && type === 'chat',
    canEditCaption: ({ id, caption }) => id.fromMe && caption !== undefined,
  });
  define('WAWebSendMessageEditAction', { addAndSendMessageEdit: (msg, raw) => sender.edit(msg, raw) });
  // With the version that wa-js compares with, the arguments of this one changed.
  const sendSeen = mode === 'modern' ? ({ chat }) => sender.seen(chat) : (chat) => sender.seen(chat);
  define('WAWebUpdateUnreadChatAction', { sendSeen, markUnread: (chat) => chats.mark(chat, -1) });
  define('WAWebChatForwardMessage', { forwardMessages: ({ chat, msgs }) => sender.forward(chat, msgs) });
  Object.assign(announce.cmd, {
    sendRevokeMsgs: (_chat, { list }) => sender.revoke(list),
    sendDeleteMsgs: async (_chat, { list }) => { for (const msg of list) await messages.remove(msg.id); },
  });
  define('WAWebSendReactionMsgAction', {
    sendReactionToMsg: (msg, text) => sender.react(msg, text, (store, id) => {
      const t = Math.floor(Date.now() / 1000);
      return reactions.keep(store, reactions.told({ id, t, parent: msg.id, text, sender: self() }));
    }),
  });
  define('WAWebReactionsModelCollection', reactionsModel);
  define('WAWebReactionsStore', { getReactions: (key) => reactions.of(key) });
  define('WAWebMediaOpaqueData', { default: OpaqueData });
  define('WAWebPrepRawMedia', {
    MediaPrep,
    prepRawMedia: (opaque, options) => new MediaPrep({
      file: opaque.file, options, send: (...args) => sender.sendMedia(...args),
    }),
    uploadProductImage: async () => { throw new Error('The stand-in has no product catalogue.'); },
  });
}

function defineOthers({ calls, history, people, presences, profiles, sender }) {
  define('WAWebProfilePicThumbCollection', { ProfilePicThumbCollection: profiles.pictures, ProfilePicThumbCollectionImpl });
  define('WAWebTextStatusCollection', { TextStatusCollection: profiles.abouts, TextStatusCollectionImpl });
  define('WAWebSetPushnameConnAction', { setPushname: (name) => profiles.setName(name) });
  define('WAWebContactStatusBridge', {
    getStatus: async (wid) => ({ status: (await profiles.abouts.find(wid)).status }),
    setMyStatus: (about) => profiles.setAbout(about),
    queryStatusAll: async () => [],
  });
  // What the page itself would show of a link; nothing is fetched.
  define('WAWebLinkPreviewChatAction', {
    getLinkPreview: async (url) => ({ url, data: { title: 'A link', description: 'What is there', canonicalUrl: url, matchedText: url } }),
  });
  define('WALinkify', { findFirstWebLink: (text) => /https?:\/\/\S+/.exec(text)?.[0] });
  define('WAWebUserPrefsGeneral', { getPushname: () => profiles.name, setBrowserId() {}, getUserPrivacySettings: () => ({}) });
  define('WAWebLidPnCache', { lidPnCache: people.cache });
  define('WAWebApiContact', people.cache);
  define('WAWebQueryExistsJob', {
    queryWidExists: (wid) => people.exists(wid),
    queryPhoneExists: (digits) => people.exists(createWid(digits)),
  });
  define('WAWebPresenceCollection', { PresenceCollection: presences.all });
  define('WAWebChatPresence', chatPresence(sender));
  define('WAWebCallCollection', { default: calls.all, CallCollectionImpl });
  define('WAWebVoipWaCallEnums', { CALL_STATES });
  define('WAWebVoipStackInterface', { getVoipStackInterface: async () => calls.voip });
  define('WAWebHistorySyncProgressModel', { getHistorySyncProgressModel: () => history });
}
