// Ask for a new round of QR codes; returns which way worked, or null. Restarting the socket is right only while no
// phone is linked, so that is asked first. No way may wait for ever.
async () => {
  const soon = (promise) => Promise.race([promise, new Promise((_, refuse) => setTimeout(() => refuse(new Error('late')), 5000))]);
  if (window.WPP.conn.isRegistered() !== false || window.WPP.whatsapp.Socket.state !== 'UNPAIRED_IDLE') return 'not needed';
  const id = 'WAWebLaunchSocketUtils';
  try {
    if (id in window.require('__debug').modulesMap && typeof window.require(id).refreshQR === 'function') {
      await soon(window.require(id).refreshQR());
      return 'socket';
    }
  } catch { /* the next way */ }
  try {
    await soon(window.WPP.conn.refreshQR());
    return 'wa-js';
  } catch { /* the next way */ }
  const button = document.querySelector('[data-ref] button, button[data-ref], [data-ref] [role=button]');
  button?.click();
  return button ? 'button' : null;
}
