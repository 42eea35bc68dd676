// Tells how far messages have come: for each key its ack, null where the page knows of no such message, or does not answer
// for it: one chat in which it hangs holds up what is known of no other.
async ({ keys }) => {
  const { ack, within } = window.__session;
  const LONGEST = 3000; // ms
  return Promise.all(keys.map((key) => within(LONGEST, ack(key)).catch(() => null)));
}
