// Runs at document start, after the bridge. Keeps the pairing code that `pair.js` has asked for: wa-js tells it by events
// and shows it nowhere. wa-js asks for the next one by itself after 195 s, which the runner does not wait for.
(() => {
  const session = window.__session;
  if (window !== window.top || !session) return;

  const note = (change) => {
    if (!session.pairing) return; // nobody asked, or the asking is over
    Object.assign(session.pairing, change);
    session.wake('pairing');
  };
  // The service says so with a status of HTTP's or with the words on its screen; what is made of it is a message alone.
  const isLimit = (error) => /\b429\b|too many|rate.?(over)?limit/i.test([error?.message ?? error, error?.name, error?.code, error?.status].join(' '));
  WPP.on('conn.link_code_change', (code) => note({ code, since: performance.now(), answered: null, failed: false }));
  WPP.on('conn.link_code_expired', () => note({ code: null, failed: true, limited: false }));
  WPP.on('conn.link_code_error', (error) => note({ code: null, failed: true, limited: isLimit(error) }));
  WPP.loader.onInjected(() => {
    try {
      WPP.whatsapp.LinkDeviceEvents.on('link_device_events:primary_hello_received', () => note({ answered: performance.now() }));
    } catch { /* an unknown page */ }
  });
})();
