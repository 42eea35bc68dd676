// Tells how far messages have come by the page's store: for each key its ack, null where the page has no such message.
async ({ keys }) => {
  const acks = [];
  for (const key of keys) acks.push((await window.__session.message(key))?.ack ?? null);
  return acks;
}
