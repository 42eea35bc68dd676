// Runs at document start, after wa-js. A linked session is not a person who looks at the page: it says so before the page
// has connected, and wa-js keeps the page from saying otherwise until `available.js`.
(() => {
  if (window !== window.top || !window.WPP) return;
  WPP.loader.onInjected(() => { WPP.conn.markUnavailable().catch(() => { /* an unknown page */ }); });
})();
