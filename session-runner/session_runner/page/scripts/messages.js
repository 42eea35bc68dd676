// Runs at document start, after the bridge. What the scripts about messages share; no content leaves the page from here.
(() => {
  const session = window.__session;
  if (window !== window.top || !session) return;

  const ABSENT = new Set(['msg_not_found', 'chat_not_found']);

  // The page's message with this key, shown or stored; null when it has none. Any other trouble is an error.
  session.message = async (key) => {
    try { return await WPP.chat.getMessageById(String(key)); } catch (error) {
      if (ABSENT.has(error?.code)) return null;
      throw error;
    }
  };
  // The chat's message with this id, whoever wrote it; null when there is none, or no more.
  session.find = async (chat, id) => {
    for (const fromMe of [true, false]) {
      const found = await session.message(new WPP.whatsapp.MsgKey({ id, remote: chat.id, fromMe }));
      if (found !== null) return found.type === 'revoked' ? null : found;
    }
    return null;
  };
  session.handing = new Map(); // id → promise: a caller that gave up and came again waits for the same one
})();
