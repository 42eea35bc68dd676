// Gives the profile picture of somebody, or without ids the own one, in base64: {piece}; {none} when there is none that is
// shown to this account, {large} when it is larger than any should be. The page fetches it as it does to show it.
async ({ own, ids, most }) => {
  const { check, module, store } = window.__session;
  check(own);
  const { ContactStore, ProfilePicThumbStore } = window.WPP.whatsapp;
  const wids = ids === null ? [module('WAWebUserPrefsMeUser').getMaybeMePnUser()] : ids.map(store.widOf);
  const wid = wids.find((one) => ContactStore.get(one)) ?? wids[0];
  const picture = await ProfilePicThumbStore.find(wid);
  const url = picture?.imgFull ?? picture?.img;
  if (!url) return { none: true };
  const answer = await fetch(url);
  if (answer.status === 404 || answer.status === 410) return { none: true };
  if (!answer.ok) throw new Error('the picture could not be had');
  const blob = await answer.blob();
  if (blob.size > most) return { large: true };
  return { piece: new Uint8Array(await blob.arrayBuffer()).toBase64() };
}
