// Runs at document start, after wa-js, in every frame. Wakes the runner's next probe when something moves, and hands the
// page's own events to the scripts after this one, which keep what the probe cannot read anywhere else. No payload leaves
// the page from here except the word of a logout reason.
(() => {
  if (window !== window.top || !window.WPP) return;

  const REST = 50; // ms
  const heard = new Map();
  const resting = new Map(); // event -> whether it came again
  const session = {
    storage: null, // since when the page's database fails
    script: null, // a script of the document that failed to load
    pairing: null, // the pairing code that was asked for, see `pairing.js`
    code: null, // the reference of the QR code on the screen, and since when
    offered: null, // since when this document has shown a code before wa-js was there
    wasLinked: false, // a phone was linked to this document, or is
    heldMutex: false, // it has held the tab mutex, or does
    wasLetIn: false, // the service has sent something to it
    restrictions: {}, // what the page last told of each restriction, for its end
    // Asking for an unknown module throws and the page may report that, so look before asking.
    module: (id) => (id in window.require('__debug').modulesMap ? window.require(id) : null),
    // Asking for a module that the page has not run yet would run it, perhaps too early for what it needs.
    hasRun: (known) => Reflect.ownKeys(Object(known?.exports)).length > 0,
    isShown: (node) => node.checkVisibility({ visibilityProperty: true }), // a page may keep the screens that it does not show
    shownCode: () => [...document.querySelectorAll('[data-ref]')].find(session.isShown)?.getAttribute('data-ref') || null,
    // Whether a phone is linked, by what wa-js has found; a page may have only the older of the two functions that say it.
    isRegistered: () => (typeof WPP.whatsapp.functions.isRegistered === 'function' ? WPP.conn.isRegistered() : WPP.conn.isAuthenticated()),
    isLetIn: (stream) => ['SYNCING', 'RESUMING', 'CONNECTED'].includes(stream), // the service has taken the page in
    hear: (name, listener) => heard.set(name, [...(heard.get(name) ?? []), listener]),
    wake: (name, detail) => {
      try { window.__sessionWake(name, typeof detail === 'string' ? detail.slice(0, 60) : null); } catch { /* not bound yet: the next probe comes anyway */ }
    },
    // For what comes often: at once, and what comes in the moment after that once at its end.
    wakeOften: (name) => {
      if (resting.has(name)) { resting.set(name, true); return; }
      session.wake(name);
      resting.set(name, false);
      setTimeout(() => {
        const again = resting.get(name);
        resting.delete(name);
        if (again) session.wakeOften(name);
      }, REST);
    },
    // `modules.js` and wa-js both tell the same event; whoever hears it twice keeps the same thing.
    tell: (name, told) => {
      heard.get(name)?.forEach((listener) => { try { listener(told); } catch { /* told in another shape */ } });
      if (heard.has(name) || WAKERS.has(name)) session.wake(name);
    },
  };
  let explained = null;
  session.explain = (reason) => {
    if (reason !== explained) session.wake('logout_reason', reason);
    explained = reason;
    setTimeout(() => { explained = null; });
  };
  session.hear('change:stream', (stream) => { session.wasLetIn ||= session.isLetIn(stream); });
  const WAKERS = new Set(['logout', 'starting_logout', 'set_socket_state', 'socket_stream_disconnected', 'open_socket_stream']);
  Object.defineProperty(window, '__session', { value: session });

  // A script that fails is told nowhere else when its answer was an HTTP error: the browser counts that as fetched.
  addEventListener('error', ({ target }) => {
    if (target?.tagName === 'SCRIPT' && target.src) session.script ??= { host: new URL(target.src).hostname };
  }, true);
  addEventListener('storage', ({ key }) => { if (key === 'whatsapp-mutex') session.wake('mutex'); });

  WPP.onAny((name, ...told) => {
    if (name === 'conn.backend_event') session.tell(told[0], told[1]);
    else if (name === 'conn.logout_reason') session.explain(told[0]);
    else if (name === 'chat.msg_ack_change') session.wakeOften('ack'); // that there is one; the store tells which
    else if (typeof name === 'string' && name.startsWith('conn.')) session.wake(name); // other chat events are frequent and change no state
  });
})();
