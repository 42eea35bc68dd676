// Gives a piece of the file of a message, in base64. The page fetches the file as a person's click does, also by a new link
// from the phone; until it is there {pending}, so that other commands need not wait. The page holds it between the pieces;
// the last one lets go of it, and so does no length at all.
async ({ key, start, length }) => {
  const { downloads } = window.__session;
  if (!length) return downloads.delete(key);
  if (!downloads.has(key)) {
    const given = WPP.chat.downloadMedia(key);
    downloads.set(key, given.then((blob) => ({ blob }), (error) => ({ failed: String(error?.code ?? error?.name ?? 'unknown').slice(0, 60) })));
  }
  const soon = new Promise((late) => { setTimeout(late, 300, { pending: true }); });
  const got = await Promise.race([downloads.get(key), soon]);
  if (!got.blob) {
    if (got.failed) downloads.delete(key);
    return got;
  }
  const { size } = got.blob;
  const piece = new Uint8Array(await got.blob.slice(start, start + length).arrayBuffer()).toBase64();
  if (start + length >= size) downloads.delete(key);
  return { size, piece };
}
