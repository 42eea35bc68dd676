// The clock that wa-js is given, and wa-js alone: `scripts.init_script` puts the vendored file, unchanged, into a function
// with the parameter `Date`, and this is the argument.
//
// wa-js takes the page's modules for complete when none came for 0.75 s by this clock. It cannot know better before it has
// seen them; but a page that has connected and synced by itself has all that its messages need, and a send waits for wa-js.
// For such a page the clock is half a second ahead until wa-js is there, so that a quarter of a second without a new module
// is enough. Modules that still come then make it wait in full: what it waits from was read from the same clock.
//
// A wa-js that measures this time in another way than by `Date.now` would only wait in full again: look at it with each
// new version. tests/unit/runner/test_settling.py has the clock and the function around the file.
(() => {
  const AHEAD = 500; // ms
  const { now } = Date;
  const isLetIn = () => {
    try {
      const session = window.__session;
      const known = window.require('__debug').modulesMap;
      const own = (id) => (session.hasRun(known[id]) ? window.require(id) : null); // run by the page itself, never by us
      const { stream, hasSynced } = own('WAWebSocketModel').Socket;
      return stream === 'CONNECTED' && hasSynced && own('WAWebUserPrefsMultiDevice').isRegistered();
    } catch { return false; }
  };
  const ahead = () => now() + (window.WPP?.isInjected === false && isLetIn() ? AHEAD : 0);
  return new Proxy(Date, { get: (date, name) => (name === 'now' ? ahead : Reflect.get(date, name)) });
})()
