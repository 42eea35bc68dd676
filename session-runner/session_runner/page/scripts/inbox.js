// Runs at document start, after `finders`. Notes which messages something happened to since the runner last asked, and
// reads what the page has stored: an event only tells where to look, because a page that dies between storing and telling
// has told nobody. What is in a message leaves the page only when the runner asks for that message, or for what is new.
(() => {
  const session = window.__session;
  if (window !== window.top || !session) return;

  const MOST_NOTED = 500; // chats
  const MOST_KEYS = 2000; // in all of them
  const MOST_GIVEN = 50; // messages
  const PIECE = 100;
  const LONGEST_TEXT = 65_536;
  const LONGEST = 3000; // ms for one chat, or one message: one that the page does not answer for holds up no other
  let noted = new Map(); // chat -> key -> whether it is a new message
  let count = 0;
  let before = new Map(); // the same as it was taken last
  let lost = true; // what happened before this document nobody noted; nor what comes after too much of it

  const note = (key, isNew = false) => {
    const [, chat] = String(key).split('_');
    const keys = noted.get(chat) ?? new Map();
    if (noted.size >= MOST_NOTED || count >= MOST_KEYS) lost = true;
    else noted.set(chat, keys.set(String(key), isNew || keys.get(String(key)) === true));
    count += 1;
    session.wakeOften('message');
  };
  WPP.on('chat.new_message', ({ id }) => { if (!session.handed.has(id.id)) note(id, true); });
  WPP.on('chat.msg_edited', ({ id }) => note(id));
  WPP.on('chat.msg_revoke', ({ refId }) => note(refId));
  WPP.on('chat.new_reaction', ({ msgId }) => note(msgId));
  session.touch = note;

  const text = (value, most = 256) => (typeof value === 'string' && value ? value.slice(0, most) : null);
  const number = (value) => (Number.isFinite(Number(value ?? NaN)) ? Number(value) : null);
  const keyOf = (text_) => WPP.whatsapp.MsgKey.fromString(text_);
  const widOf = (text_) => WPP.whatsapp.WidFactory.createWid(text_);
  const isTold = (wid) => wid.isGroup() || wid.isLid() || String(wid).endsWith('@c.us');
  const userOf = (wid) => (wid ? String(wid).split(/[@:]/)[0] : null);

  // Somebody by number, LID or both, as far as the page knows them.
  const who = (wid) => {
    const cache = WPP.whatsapp.lidPnCache ?? {};
    const other = wid.isGroup() ? null : (wid.isLid() ? cache.getPhoneNumber?.(wid) : cache.getCurrentLid?.(wid));
    const [lid, phone] = wid.isLid() ? [wid, other] : [other, wid];
    const name = text(WPP.whatsapp.ContactStore?.get(wid)?.pushname);
    if (wid.isGroup()) return { id: String(wid) };
    return { id: String(wid), number: userOf(phone), lid: userOf(lid), name };
  };
  const isMe = (wid) => {
    const me = session.module('WAWebUserPrefsMeUser');
    return [me.getMaybeMePnUser?.(), me.getMaybeMeLidUser?.()].some((own) => own && userOf(own) === userOf(wid));
  };

  const reactionsOf = async (key) => {
    const { reactions } = await WPP.chat.getReactions(String(key));
    return reactions.flatMap(({ senders }) => senders).slice(0, 1000).map(({ id, sender, reactionText, timestamp }) => ({
      by: who(sender), mine: isMe(sender), emoji: text(reactionText, 64) ?? '', t: number(timestamp) ?? 0, id: text(keyOf(String(id)).id, 128) ?? '',
    }));
  };
  const reactions = async (message, asked) => {
    if (!asked || message.hasReaction === false) return message.hasReaction === false ? [] : null;
    try { return await reactionsOf(message.id); } catch { return null; } // an unknown page: not asked is not none
  };

  const entry = async (message, asked) => ({
    key: String(message.id), id: message.id.id, own: Boolean(message.id.fromMe), t: number(message.t) ?? 0, type: message.type,
    edit: text(message.latestEditMsgKey?.id, 128) ?? '', reactions: await reactions(message, asked),
  });

  // What is in a message.
  const content = async (message) => {
    const { id, author, isGif, isViewOnce, lat, lng, quotedStanzaID, quotedParticipant, vcardList, type } = message;
    const wrote = id.remote.isGroup() && !id.fromMe ? author ?? id.participant : null;
    const isText = type === 'chat' || type === 'vcard';
    return {
      ...await entry(message, true),
      editTime: number(message.latestEditSenderTimestampMs),
      who: who(id.remote), author: wrote ? who(typeof wrote === 'string' ? widOf(wrote) : wrote) : null, name: text(message.notifyName),
      body: isText ? text(message.body, LONGEST_TEXT) : null, // of a file it is a small picture
      caption: text(message.caption, LONGEST_TEXT),
      quoted: text(quotedStanzaID, 128), quotedOwn: Boolean(quotedParticipant && isMe(quotedParticipant)),
      forwarded: Boolean(message.isForwarded), latitude: number(lat), longitude: number(lng), place: text(message.loc, 1024),
      mimetype: text(message.mimetype), filename: text(message.filename), size: number(message.size),
      digest: text(message.filehash, 128), gif: Boolean(isGif), viewOnce: Boolean(isViewOnce), animated: Boolean(message.isAnimated),
      ack: number(message.ack),
      cards: (vcardList ?? []).slice(0, 257).map(({ vcard }) => text(vcard, 8192)).filter(Boolean),
    };
  };

  // The newest entries of a chat, and those that something happened to; null for a chat that is none of ours to tell of.
  // `mayGive` tells of a new one whether its content is given with it.
  const touched = async (id, keys, mayGive) => {
    const chat = WPP.whatsapp.ChatStore.get(id);
    if (!chat || !isTold(chat.id)) return null;
    const named = [...keys.keys()];
    const [stored, told] = await Promise.all([session.newest(chat, 20), Promise.all(named.map(session.message))]);
    const newest = new Map(stored.map((message) => [String(message.id), message]));
    // What was named and is not among the newest came before them, also within their second.
    const earlier = named.map((key, place) => [key, told[place]]).filter(([key, message]) => message !== null && !newest.has(key));
    const messages = [...earlier, ...newest];
    const entries = await Promise.all(messages.map(async ([key, message]) => {
      if (!keys.get(key)) return entry(message, keys.has(key));
      const given = mayGive() ? await content(message).catch(() => null) : null; // one that cannot be read is asked for alone
      return { ...given ?? await entry(message, true), fresh: true };
    }));
    return { who: who(chat.id), entries: entries.sort((one, other) => one.t - other.t) };
  };

  session.who = (id) => who(widOf(String(id)));
  // Whether nobody has ever written in the chat of these ids of one person, by its newest messages; null where the page does
  // not tell. Notes of the page are written by nobody.
  const NOTES = /notification|^(gp2|call_log|protocol|debug)$/;
  const writers = new Set(); // who has written once stays one
  session.isStranger = async (wid) => {
    try {
      if (writers.has(String(wid))) return false;
      const ids = [wid, WPP.whatsapp.lidPnCache?.getCurrentLid?.(wid)];
      for (const chat of ids.map((id) => id && WPP.whatsapp.ChatStore.get(id))) {
        const found = chat ? await session.within(LONGEST, session.newest(chat, PIECE)) : [];
        if (!found.some(({ id, type }) => !id.fromMe && !NOTES.test(type))) continue;
        writers.add(String(wid));
        return false;
      }
      return true;
    } catch { return null; }
  };

  session.store = { text, number, widOf, isTold, who }; // for the scripts that read on request

  // A page that does not tell may still be at it.
  const isSynchronised = () => { try { return WPP.conn.getHistorySyncProgress().inProgress === false; } catch { return false; } };

  session.inbox = {
    // What is noted, with the newest entries of each chat that something happened in, and what is in the first new messages;
    // what was taken last once more, for a page that tells before it has stored.
    take: async (again) => {
      const taken = { lost, chats: [] };
      let given = 0;
      const mayGive = () => (given += 1) <= MOST_GIVEN;
      const chats = [...noted].map(([chat, keys]) => [chat, keys, mayGive]);
      const both = (chat, keys) => new Map([...keys, ...(noted.get(chat) ?? [])]);
      if (again) for (const [chat, keys] of before) chats.push([chat, both(chat, keys), () => false]);
      lost = false;
      [before, noted, count] = [noted, new Map(), 0];
      // Beside each other: most of the time is waiting for the page's database.
      const one = (chat) => session.within(LONGEST, touched(...chat)).catch(() => { taken.lost = true; });
      taken.chats = (await Promise.all(chats.map(one))).filter(Boolean);
      return taken;
    },

    // The chats in which there may be messages since then.
    chats: (since) => ({
      synchronised: isSynchronised(),
      chats: WPP.whatsapp.ChatStore.getModelsArray()
        .filter(({ id, t }) => isTold(id) && (t === undefined || t >= since)).map(({ id }) => who(id)),
    }),

    // A chat's entries from the newest backwards, a piece at a time: `next` is where the next piece begins. `failed`: the page
    // does not tell them, now or ever.
    list: (wanted) => session.within(LONGEST, session.inbox.entries(wanted)).catch(() => ({ entries: [], next: null, failed: true })),
    entries: async ({ id, since, from, reacted }) => {
      const chat = WPP.whatsapp.ChatStore.get(id);
      if (!chat) return { entries: [], next: null };
      const found = from === null ? await session.newest(chat, PIECE) : await session.beside(chat, from, 'before', PIECE);
      const entries = [];
      for (const [place, message] of found.entries()) {
        if (message.t >= since) entries.push(await entry(message, reacted && found.length - place <= 20));
      }
      const isAll = found.length < PIECE || found[0].t < since;
      return { entries, next: isAll ? null : String(found[0].id) };
    },

    // What is in these messages; null for one that is gone, `later` for one that the page does not give now, and nothing for one
    // that cannot be read though the page has all its parts: it holds up no other.
    read: (keys) => {
      const one = async (key) => {
        const message = await session.message(key);
        return message && content(message).catch(() => (session.isSettled() ? {} : 'later'));
      };
      return Promise.all(keys.map((key) => session.within(LONGEST, one(key)).catch(() => 'later')));
    },
  };
})();
