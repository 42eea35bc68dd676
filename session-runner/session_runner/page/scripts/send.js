// Hands something over to the page, unless it has it already; with `look` it only looks. What it returns is told in
// `sends.js`. A file may take long to go up: then {pending}, and whoever asks again is told how it went.
async ({ own, ...wanted }) => {
  const { check, hand, handing, takeFile } = window.__session;
  const file = takeFile(); // at once: the next caller has another one
  check(own);
  const { id } = wanted;
  if (!handing.has(id)) {
    const handed = hand({ ...wanted, file });
    const forget = () => handing.delete(id);
    handing.set(id, handed);
    handed.then(() => setTimeout(forget, file ? 60_000 : 0), forget);
  }
  if (!file) return handing.get(id);
  return Promise.race([handing.get(id), new Promise((late) => { setTimeout(late, 3000, { pending: true }); })]);
}
