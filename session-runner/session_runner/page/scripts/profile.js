// Gives how the own account calls itself, and its about text; null for what the page does not tell.
async ({ own }) => {
  const { check, store } = window.__session;
  check(own);
  const told = async (ask) => { try { return store.text(await ask(), 1024); } catch { return null; } };
  return { name: await told(() => WPP.profile.getMyProfileName()), about: await told(() => WPP.profile.getMyStatus()) };
}
