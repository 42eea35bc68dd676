// Asks for a pairing code for this number, or, with null, ends what was asked for before: wa-js would go on by itself, and
// with a linked page end in an error. What comes of it is told by events (`pairing.js`), and the promise is not waited for.
async ({ number }) => {
  const { conn } = window.WPP;
  const session = window.__session;
  conn.cancelLinkDeviceCode();
  session.pairing = null;
  if (number === null) return 'ended';
  if (!window.WPP.isFullReady) return 'early'; // what is begun before that is cancelled by wa-js
  if (session.isRegistered() !== false) return 'linked';
  const hasCodes = () => { // wa-js finds the page's function by its shape
    try { return typeof window.WPP.whatsapp.functions.genLinkDeviceCodeForPhoneNumber === 'function'; } catch { return false; }
  };
  // It may be in a bundle that is still on its way.
  if (!hasCodes()) return performance.now() < 15_000 ? 'early' : 'unsupported';
  session.pairing = { code: null, since: null, answered: null, failed: false, limited: false };
  conn.startLinkDeviceCodeForPhoneNumber(number).catch(() => {});
  return 'asked';
}
