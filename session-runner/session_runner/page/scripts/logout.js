// Unlinks this session from its phone, when asked to begin; else only tells how far that is. Of the ways to log out this
// is the one that both generations of the page have: `WPP.conn.logout()` never ends on pages of 2026. What the page does
// not finish within a second goes on behind this call, which its reload would cut off.
async ({ begin }) => {
  const registered = window.WPP?.isInjected === true ? window.__session.isRegistered() : null;
  if (registered === null || registered === undefined) return 'unknown';
  if (!registered) return 'unlinked';
  if (!begin) return 'linked';
  try { window.__sessionWake('logout_asked', null); } catch { /* the message will not say that it was asked for */ }
  await Promise.race([window.WPP.whatsapp.Socket.logout(), new Promise((done) => setTimeout(done, 1000))]);
  return 'begun';
}
