// Hands something over to the page, unless it has it already; with `look` it only looks. What it returns is told in
// `sends.js`. A page of another number than its own, if that is known, does neither.
async ({ own, ...wanted }) => {
  const { hand, handing, module } = window.__session;
  if (own !== null && /^\d+/.exec(module('WAWebUserPrefsMeUser').getMaybeMePnUser())?.[0] !== own) throw new Error('another account is linked');
  const { id } = wanted;
  if (!handing.has(id)) handing.set(id, hand(wanted).finally(() => handing.delete(id)));
  return handing.get(id);
}
