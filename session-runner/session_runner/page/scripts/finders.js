// Runs at document start, after `messages`. Finds the messages of a chat beside one of them, oldest first: by the page's own
// functions for that, whose two generations are told apart by their names; where it has neither, among the messages that it shows.
(() => {
  const session = window.__session;
  if (window !== window.top || !session) return;

  const shown = (chat) => {
    const all = [...WPP.whatsapp.MsgStore.getModelsArray(), ...chat.msgs?.getModelsArray?.() ?? []];
    const own = all.filter(({ id }) => String(id.remote) === String(chat.id)).map((message) => [String(message.id), message]);
    return [...new Map(own).values()].sort((one, other) => one.t - other.t);
  };
  const besideShown = (chat, key, direction, count) => {
    const all = shown(chat);
    const place = key === null ? all.length : all.findIndex(({ id }) => String(id) === key);
    if (place < 0) return [];
    return direction === 'before' ? all.slice(Math.max(0, place - count), place) : all.slice(place + 1, place + 1 + count);
  };

  session.beside = async (chat, key, direction, count) => {
    const { msgFindQuery, msgFindByDirection } = WPP.whatsapp.functions;
    const place = key === null ? { remote: chat.id } : WPP.whatsapp.MsgKey.fromString(key);
    if (typeof msgFindQuery !== 'function' && typeof msgFindByDirection !== 'function') return besideShown(chat, key, direction, count);
    const found = typeof msgFindQuery === 'function'
      ? await msgFindQuery(direction, Object.assign(place, { count, direction }))
      : await msgFindByDirection({ anchor: place, count, direction });
    return Array.isArray(found) ? found : found?.messages ?? [];
  };

  // The newest messages of a chat. The newer page finds nothing but beside a message that is known.
  session.newest = async (chat, count) => {
    const { msgFindQuery, msgFindByDirection } = WPP.whatsapp.functions;
    if (typeof msgFindQuery === 'function') return session.beside(chat, null, 'before', count);
    const anchor = typeof msgFindByDirection === 'function' && chat.lastReceivedKey ? String(chat.lastReceivedKey) : null;
    const last = anchor && await session.message(anchor);
    if (!last) return besideShown(chat, null, 'before', count);
    return [...await session.beside(chat, anchor, 'before', count), last, ...await session.beside(chat, anchor, 'after', count)];
  };
})();
