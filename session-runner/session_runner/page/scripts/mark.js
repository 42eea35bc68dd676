// Marks the chat of a message as read, and with `typing` shows there for 25 s that an answer is being written: `marked`,
// `missing` when the page has no such message of somebody else, or `unsupported` when it marks none.
async ({ own, id, chats, typing }) => {
  const { check, isSettled, received } = window.__session;
  check(own);
  const message = await received(id, chats);
  if (message === null) return 'missing';
  const { chat, whatsapp } = window.WPP;
  if (isSettled() && typeof whatsapp.functions.sendSeen !== 'function') return 'unsupported';
  await chat.markIsRead(message.id.remote);
  if (typing) {
    try { // the mark stays set where that is not shown
      await chat.markIsComposing(message.id.remote);
      setTimeout(() => chat.markIsPaused(message.id.remote).catch(() => {}), 25_000);
    } catch { /* a page without it */ }
  }
  return 'marked';
}
