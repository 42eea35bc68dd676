// Hands something over to the page, unless it has it already; with `look` it only looks. What it returns is told in
// `sends.js`.
async ({ own, ...wanted }) => {
  const { check, hand, handing } = window.__session;
  check(own);
  const { id } = wanted;
  if (!handing.has(id)) handing.set(id, hand(wanted).finally(() => handing.delete(id)));
  return handing.get(id);
}
