// Runs at document start, after the bridge. What the scripts about messages share; no content leaves the page from here.
(() => {
  const session = window.__session;
  if (window !== window.top || !session) return;

  // A promise that is not waited for beyond so many milliseconds: what the page never answers must not hold up the rest.
  session.within = (time, promise) => {
    let timer = null;
    const late = new Promise((_, fail) => { timer = setTimeout(() => fail(new Error('too late')), time); });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
  };

  const ABSENT = new Set(['msg_not_found', 'chat_not_found']);
  const MOST_CHATS = 50; // that are searched for a message of which nobody says where it is

  // A page of another number than `own`, if that is known, does nothing for its runner.
  session.check = (own) => {
    if (own === null) return;
    if (/^\d+/.exec(session.module('WAWebUserPrefsMeUser').getMaybeMePnUser())?.[0] !== own) throw new Error('another account is linked');
  };

  // What the page still has not by then it has not at all.
  session.isSettled = () => performance.now() > 60_000;

  // The page's message with this key, shown or stored; null when it has none. Any other trouble is an error. wa-js asks the
  // page's search for what is not shown; a page without one has no more to tell.
  session.message = async (key) => {
    const seen = WPP.whatsapp.MsgStore?.get(String(key));
    if (seen) return seen;
    try { return await WPP.chat.getMessageById(String(key)); } catch (error) {
      if (ABSENT.has(error?.code) || typeof WPP.whatsapp.functions.getSearchContext !== 'function') return null;
      throw error;
    }
  };

  // Receipts as the page told of them, by the id of the message: it may keep them apart from it.
  const MOST_RECEIPTS = 2000;
  const receipts = new Map();
  session.receipt = (ack, ids) => {
    for (const id of ids) receipts.set(id, Math.max(ack, receipts.get(id) ?? ack));
    for (const id of [...receipts.keys()].slice(0, Math.max(0, receipts.size - MOST_RECEIPTS))) receipts.delete(id);
    session.wakeOften('ack');
  };
  WPP.on('chat.msg_ack_change', ({ ack, chat, ids }) => {
    if (!chat?.isGroup?.()) session.receipt(ack, ids.map(({ id }) => id)); // in a group it is one member's
  });
  // How far the message with this key has come; null when the page does not know.
  session.ack = async (key) => {
    const kept = (await session.message(key))?.ack ?? null;
    const told = receipts.get(String(key).split('_')[2]) ?? kept;
    return kept === null ? told : Math.max(kept, told);
  };

  const find = async (chat, id, sides) => {
    for (const fromMe of sides) {
      const found = await session.message(new WPP.whatsapp.MsgKey({ id, remote: chat.id, fromMe }));
      if (found !== null) return found;
    }
    return null;
  };

  // The chat's message with this id, whoever wrote it.
  session.find = (chat, id) => find(chat, id, [true, false]);

  // A message, wherever it is: among what is shown, in the chats that are named for it, in those with unread messages, then in
  // others.
  const anywhere = async (id, sides, named) => {
    const shown = WPP.whatsapp.MsgStore.getModelsArray().find((msg) => msg.id.id === id && sides.includes(msg.id.fromMe));
    if (shown) return shown;
    const chats = WPP.whatsapp.ChatStore.getModelsArray();
    const unread = chats.filter(({ unreadCount }) => unreadCount !== 0);
    const known = named.map((one) => WPP.chat.get(one)).filter(Boolean);
    for (const chat of new Set([...known, ...unread, ...chats.slice(0, MOST_CHATS)])) {
      const found = await find(chat, id, sides);
      if (found !== null) return found;
    }
    return null;
  };
  session.anywhere = (id, named) => anywhere(id, [true, false], named);
  session.received = (id, named) => anywhere(id, [false], named); // what somebody else wrote
  session.handing = new Map(); // id -> what the page is at, see `send.js`: a caller that gave up and comes again gets the same
})();
