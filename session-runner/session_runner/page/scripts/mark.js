// Marks the chat of a message as read, and with `typing` shows there for 25 s that an answer is being written: `marked`,
// `missing` when the page has no such message of somebody else, or `unsupported` when it marks none. A chat in which the page
// hangs fails soon: the next mark is another one's.
async ({ own, id, chats, typing }) => {
  const LONGEST = 5000; // ms
  const { check, isSettled, received, within } = window.__session;
  check(own);
  const message = await received(id, chats);
  if (message === null) return 'missing';
  const { chat, whatsapp } = window.WPP;
  if (isSettled() && typeof whatsapp.functions.sendSeen !== 'function') return 'unsupported';
  await within(LONGEST, chat.markIsRead(message.id.remote));
  if (typing) {
    try { // the mark stays set where that is not shown
      await within(LONGEST, chat.markIsComposing(message.id.remote));
      setTimeout(() => chat.markIsPaused(message.id.remote).catch(() => {}), 25_000);
    } catch { /* a page without it */ }
  }
  return 'marked';
}
