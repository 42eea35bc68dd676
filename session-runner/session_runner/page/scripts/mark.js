// Marks the chat of a message as read, and with `typing` shows there for 25 s that an answer is being written: `marked`, or
// `missing` when the page has no such message of somebody else.
async ({ own, id, chats, typing }) => {
  const { check, received } = window.__session;
  check(own);
  const message = await received(id, chats);
  if (message === null) return 'missing';
  const { chat } = window.WPP;
  await chat.markIsRead(message.id.remote);
  if (typing) {
    await chat.markIsComposing(message.id.remote);
    setTimeout(() => chat.markIsPaused(message.id.remote).catch(() => {}), 25_000);
  }
  return 'marked';
}
