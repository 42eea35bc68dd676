// Runs at document start, after `messages.js`. How each kind of content is handed over to the page, by its name in the
// outbox. `hand` begins it and returns when the page has it; `has` tells whether the page has it already, and is only
// needed by what is no message under a key of ours. Nothing is done besides: the chat is not marked as read, digits are
// no mentions, no link is fetched, and nobody waits for the server.
(() => {
  const session = window.__session;
  if (window !== window.top || !session) return;

  const MOST_HANDED = 2000;
  session.handed = new Set(); // ids of what was handed over: that the page shows it then is no news
  const LONGEST = 15_000; // ms for the page to store what it was told
  const LONGEST_PREVIEW = 7000; // ms
  const pause = () => new Promise((done) => { setTimeout(done, 50); });

  // For functions of the page that return with the server's word, which may never come: until the page has it.
  const until = async (has, word) => {
    let [said, failed] = [false, null];
    word.then(() => { said = true; }, (error) => { failed = error; });
    for (const end = Date.now() + LONGEST; !said && !await has(); await pause()) {
      if (failed !== null) throw failed;
      if (Date.now() > end) throw new Error('the page did not store it');
    }
  };

  const previewOf = ({ url, title, description }) => ({ matchedText: url, canonicalUrl: url, title, description });

  // The page's own preview of the first link. It asks others for it, and a text without one is better than none.
  const madePreview = async (body) => {
    const { findFirstWebLink, fetchLinkPreview } = WPP.whatsapp.functions;
    try {
      const link = findFirstWebLink(body);
      return link ? (await session.within(LONGEST_PREVIEW, fetchLinkPreview(link)))?.data ?? null : null;
    } catch { return null; }
  };

  session.sends = {
    text: {
      hand: async ({ chat, content: { body, mentions, preview_url: wanted, preview }, options }) => {
        const all = mentions.length ? { ...options, mentionedList: mentions.map((digits) => `${digits}@c.us`) } : options;
        const shown = preview ? previewOf(preview) : wanted && await madePreview(body);
        if (!shown) return WPP.chat.sendTextMessage(chat.id, body, all);
        return WPP.chat.sendRawMessage(chat.id, { type: 'chat', body, ...shown, subtype: 'url' }, all);
      },
    },
    location: {
      hand: ({ chat, content: { latitude, longitude, name, address }, options }) => (
        WPP.chat.sendLocationMessage(chat.id, { ...options, lat: latitude, lng: longitude, name, address })
      ),
    },
    contacts: {
      hand: ({ chat, content: { cards }, options }) => WPP.chat.sendRawMessage(chat.id, cards.length === 1
        ? { type: 'vcard', body: cards[0].vcard, vcardFormattedName: cards[0].name }
        : { type: 'multi_vcard', vcardList: cards.map(({ name, vcard }) => ({ displayName: name, vcard })) }, options),
    },
    // The page makes its id; there is one of ours for each message at most, so that it is known by what it is.
    reaction: {
      has: async ({ about, content }) => ((await WPP.chat.getReactions(about.id)).reactionByMe?.reactionText ?? '') === content.emoji,
      hand: ({ about, content }, has) => until(has, WPP.chat.sendReactionToMessage(about, content.emoji)),
    },
    edit: {
      has: ({ about, id }) => about.latestEditMsgKey?.id === id,
      hand: ({ about, content, options }, has) => until(has, WPP.chat.editMessage(String(about.id), content.body, options)),
    },
    delete: {
      has: ({ about }) => about.type === 'revoked',
      hand: ({ about, chat }, has) => until(has, WPP.chat.deleteMessage(chat.id, String(about.id), false, true)),
    },
  };
  const REFUSED = new Set(['edit_message_error', 'quoted_msg_can_not_reply', 'not_forwardable']); // by wa-js and us: too old, say

  // What wa-js asks a page before it quotes; a page that has just come may still get it.
  const lacksQuotes = ({ msgContextInfo }) => typeof WPP.whatsapp.functions.canReplyMsg !== 'function' || typeof msgContextInfo !== 'function';

  // {key} under which the page keeps it, null in it for what is no message; {missing} when the message that it is about is
  // not there, {refused} when it is none to do that with, {unsupported} by this page; null when it was only looked for. The key is built here, because
  // the chat of a number may be kept under another id.
  session.hand = async ({ id, to, kind, content, about, chats: elsewhere, look, untold, file }) => {
    const { chat: chats, whatsapp } = WPP;
    const chat = await chats.find(whatsapp.WidFactory.createWid(to));
    const key = new whatsapp.MsgKey({ id, remote: chat.id, fromMe: true });
    const { has, hand, isFrom = false } = session.sends[kind]; // `isFrom`: what it is about is in any chat, and no quote
    session.handed.add(id);
    if (session.handed.size > MOST_HANDED) session.handed.delete(session.handed.values().next().value);
    const found = about === null ? null : await (isFrom ? session.anywhere(about, elsewhere) : session.find(chat, about));
    const missing = about !== null && (found === null || (found.type === 'revoked' && kind !== 'delete'));
    const given = { id, chat, key, content, about: found, file };
    const there = async () => (has ? !missing && has(given) : !session.lost.has(id) && await session.message(key) !== null);
    if (!(untold && !has) && await there()) return { key: has ? null : String(key) }; // `untold`: no page can have it
    if (look) return null;
    if (missing) return { missing };
    const options = {
      messageId: key, createChat: true, linkPreview: false, detectMentioned: false, markIsRead: false, waitForAck: false,
    };
    if (found !== null && !has && !isFrom) {
      if (session.isSettled() && lacksQuotes(found)) return { unsupported: true };
      options.quotedMsg = found;
    }
    try { await hand({ ...given, options }, there); } catch (error) {
      if (REFUSED.has(error?.code)) return { refused: true };
      throw error;
    }
    return { key: has ? null : String(key) };
  };
})();
