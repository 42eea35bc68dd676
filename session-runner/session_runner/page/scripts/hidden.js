// Runs at document start, after wa-js. A linked session is not a person who looks at the page. A headless browser's page
// always has the focus, so it is told that it has none; and it says that nobody looks as soon as it has its modules. wa-js
// keeps it from saying otherwise until `available.js`, which follows when the session is to appear so.
(() => {
  if (window !== window.top || !window.WPP) return;
  Document.prototype.hasFocus = new Proxy(Document.prototype.hasFocus, { apply: () => false });
  WPP.loader.onInjected(() => { WPP.conn.markUnavailable().catch(() => { /* an unknown page */ }); });
})();
