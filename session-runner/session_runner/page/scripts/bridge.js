// Runs at document start, after wa-js, in every frame. Two jobs: wake the runner's next probe when something moves, and
// keep what only an event tells (ban, outage, broken storage) where the probe finds it. No payload leaves the page from
// here except the word of a logout reason.
(() => {
  if (window !== window.top || !window.WPP) return;

  const latched = { ban: null, unavailable: null, storage: null, script: null };
  Object.defineProperty(window, '__sessionLatched', { value: latched });

  const wake = (name, detail) => {
    try { window.__sessionWake(name, typeof detail === 'string' ? detail.slice(0, 60) : null); } catch { /* not bound yet: the next probe comes anyway */ }
  };

  // A script that fails is told nowhere else when its answer was an HTTP error: the browser counts that as fetched.
  addEventListener('error', ({ target }) => {
    if (target?.tagName === 'SCRIPT' && target.src) latched.script ??= { host: new URL(target.src).hostname };
  }, true);

  const latch = {
    account_temporarily_banned: (told) => {
      latched.ban = told?.banned === false ? null : { code: told?.code ?? null, expire: told?.expire ?? null, seen: performance.now() };
    },
    service_unavailable_503: () => { latched.unavailable = performance.now(); },
    storage_initialization_error: () => { latched.storage = { lasting: true, seen: performance.now() }; },
  };
  const wakers = new Set([...Object.keys(latch), 'logout', 'starting_logout', 'set_socket_state', 'socket_stream_disconnected', 'open_socket_stream']);
  const backendEvent = (name, told) => {
    latch[name]?.(told);
    if (wakers.has(name)) wake(name);
  };

  WPP.onAny((name, ...told) => {
    if (name === 'conn.backend_event') backendEvent(told[0], told[1]);
    else if (name === 'conn.logout_reason') wake('logout_reason', told[0]);
    else if (typeof name === 'string' && name.startsWith('conn.')) wake(name); // chat events are frequent and change no state
  });

  WPP.loader.onInjected(() => {
    // Pages of 2026 no longer put these on the bus that wa-js listens to.
    for (const name of ['account_temporarily_banned', 'service_unavailable_503', 'storage_initialization_error', 'starting_logout', 'logout']) {
      try { WPP.whatsapp.Cmd.on(`${name}_from_bridge`, (told) => backendEvent(name, told)); } catch { /* an unknown page */ }
    }
    for (const attribute of ['state', 'stream', 'hasSynced']) {
      try { WPP.whatsapp.Socket.on(`change:${attribute}`, () => wake(attribute)); } catch { /* an unknown page */ }
    }
  });
})();
