// Gives a chat's messages from the newest backwards, or from before the one with the key `before`: oldest first. Before
// the one with the key `next` there may be older ones. {missing} when there is no such chat, or it has not that message.
async ({ own, ids, before, count }) => {
  const { beside, check, inbox, message, newest, store } = window.__session;
  check(own);
  const chat = ids.map((id) => window.WPP.whatsapp.ChatStore.get(store.widOf(id))).find(Boolean);
  if (!chat) return { missing: 'chat' };
  const known = before === null ? null : await message(before);
  if (before !== null && String(known?.id?.remote) !== String(chat.id)) return { missing: 'message' };
  const found = before === null ? await newest(chat, count) : await beside(chat, before, 'before', count);
  const keys = found.slice(-count).map(({ id }) => String(id));
  return { messages: (await inbox.read(keys)).filter(Boolean), next: keys.length < count ? null : keys[0] };
}
