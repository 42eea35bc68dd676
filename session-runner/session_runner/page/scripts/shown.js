// Runs at document start, after wa-js: the session appears as a person who looks at the page, though nothing has the focus.
(() => {
  if (window !== window.top || !window.WPP) return;
  WPP.loader.onInjected(() => { WPP.conn.markAvailable(true).catch(() => { /* an unknown page */ }); });
})();
