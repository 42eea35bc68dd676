// Hands something over to the page, unless it has it already; with `look` it only looks. What it returns is told in
// `sends.js`. A file may take long to go up, or down where a message with one is sent on, and so
// may a preview to be made: then {pending}, and whoever asks again is told how it went.
async ({ own, ...wanted }) => {
  const { check, hand, handing, takeFile } = window.__session;
  const file = takeFile(); // at once: the next caller has another one
  check(own);
  const { id, kind, content } = wanted;
  const isLong = file !== null || kind === 'forward' || Boolean(content.preview_url);
  if (!handing.has(id)) {
    const handed = hand({ ...wanted, file });
    const forget = () => handing.delete(id);
    handing.set(id, handed);
    handed.then(() => setTimeout(forget, isLong ? 60_000 : 0), forget);
  }
  if (!isLong) return handing.get(id);
  return Promise.race([handing.get(id), new Promise((late) => { setTimeout(late, 3000, { pending: true }); })]);
}
