// Runs at document start, after `inbox`. Notes who is there, typing or gone, while the runner wants to know; of a chat the
// newest alone, and wakes the runner once a second at most.
(() => {
  const session = window.__session;
  if (window !== window.top || !session) return;

  const MOST = 100;
  let isWanted = false;
  let isWoken = false;
  let noted = new Map(); // chat -> what was seen last
  const asked = new Set(); // chats of which the server is asked, until the next document

  WPP.on('chat.presence_change', ({ id, isUser, isOnline, state }) => {
    if (!isWanted || !isUser || (noted.size >= MOST && !noted.has(String(id)))) return;
    noted.set(String(id), { state: String(state).slice(0, 32), online: Boolean(isOnline), t: Date.now() });
    if (isWoken) return;
    isWoken = true;
    setTimeout(() => { isWoken = false; session.wake('presence'); }, 1000);
  });

  // As wa-js does once, for the chats that there are then.
  const ask = () => {
    for (const chat of WPP.whatsapp.ChatStore.getModelsArray().slice(0, MOST)) {
      if (asked.has(String(chat.id)) || chat.id.isGroup()) continue;
      asked.add(String(chat.id));
      Promise.resolve(chat.presence?.subscribe?.()).catch(() => {});
    }
  };

  session.contactPresence = (wanted) => {
    isWanted = wanted;
    const taken = wanted ? [...noted] : [];
    noted = new Map();
    if (wanted) ask();
    return taken.map(([id, seen]) => ({ who: session.who(id), ...seen }));
  };
})();
