// Tells how far messages have come: for each key its ack, null where the page knows of no such message.
async ({ keys }) => {
  const acks = [];
  for (const key of keys) acks.push(await window.__session.ack(key));
  return acks;
}
