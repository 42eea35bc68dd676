// Runs at document start, after the bridge. Listens to the page's own modules from the moment its loader exists: wa-js does
// so about a second later, and what the page tells once, on its way up, is told by then.
//
// A module is only taken when that cannot run its code too early: when it was there before the loader, with all that it
// needs, when the page has run it itself, or when wa-js has, which runs all of them.
(() => {
  const session = window.__session;
  if (window !== window.top || !session) return;

  const TOLD = ['account_temporarily_banned', 'service_unavailable_503', 'storage_initialization_error', 'starting_logout', 'logout'];
  const RESTRICTIONS = ['reachout_timelock_state_change', 'new_chat_message_capping_state_change'];
  const wakeOn = (model, attributes) => attributes.forEach((attribute) => model.on(`change:${attribute}`, (_model, value) => {
    session.tell(`change:${attribute}`, value);
    session.wake(attribute);
  }));
  // Puts a function in the place of one of the page's, as wa-js does: it listens to what that is called with, and calls it.
  const listenIn = (owner, name, listen) => {
    const own = owner[name];
    owner[name] = function told(...given) {
      try { listen(...given); } catch { /* told in another shape */ }
      return own.apply(this, given);
    };
  };

  const listeners = {
    WAWebCmd: ({ Cmd }) => {
      for (const name of TOLD) Cmd.on(`${name}_from_bridge`, (told) => session.tell(name, told));
      for (const name of RESTRICTIONS) Cmd.on(name, (...told) => { session.restrictions[name] = told; session.wake(name); });
    },
    // The legacy page tells on this bus, by a function that wa-js replaces in the same way.
    WAWebBackendEventBus: ({ BackendEventBus: bus }) => listenIn(bus, 'trigger', (name, told) => {
      if (TOLD.includes(name)) session.tell(name, told);
    }),
    // The page asks it for the code of each reason that it has. wa-js listens in the same way, too late for a page that is
    // logged out as soon as it connects.
    WAWebLogoutReason: (reasons) => listenIn(reasons, 'getErrorCodeFromLogoutReason', session.explain),
    // What was read while this session was away is told as soon as the page connects; wa-js listens in the same way once it
    // is ready for everything. Receipts of the account's other devices are left to it.
    WAWebHandleDirectChatReceipt: (receipts) => listenIn(receipts, 'handleChatSimpleReceipt', ({ ack, ackString, recipient, externalIds }) => {
      if (ack >= 2 && ackString !== 'sender' && !recipient) session.receipt(ack, externalIds);
    }),
    // wa-js tells of these when it is ready for everything, which a page may never get to; a revoke may show in the message alone.
    WAWebMsgCollection: ({ MsgCollection, MsgStore: messages = MsgCollection }) => {
      messages.on('change:ack', ({ id }) => { if (id.fromMe) session.wakeOften('ack'); });
      for (const attribute of ['type', 'latestEditMsgKey']) messages.on(`change:${attribute}`, ({ id }) => session.touch(id));
    },
    WAWebSocketModel: ({ Socket }) => wakeOn(Socket, ['state', 'stream', 'hasSynced']),
    // A page that is refused as too old says so and loads itself anew, all at once.
    WAWebStreamModel: ({ Stream }) => Stream.on('change:needsUpdate', (_model, needed) => { if (needed) session.wake('needsUpdate'); }),
    WAWebNetworkStatus: ({ default: status }) => wakeOn(status, ['online']),
    WAWebConnModel: ({ Conn }) => {
      const note = () => { session.code = Conn.ref ? { ref: Conn.ref, since: performance.now() } : null; };
      note();
      Conn.on('change:ref', () => { note(); session.wake('ref'); });
    },
  };

  const missing = new Set(Object.keys(listeners));
  const take = (mayRun) => {
    let known;
    try { known = window.require('__debug').modulesMap; } catch { return; }
    for (const id of missing) {
      if (!(id in known) || !mayRun(known[id])) continue;
      missing.delete(id);
      try { listeners[id](window.require(id)); } catch { /* an unknown page */ }
    }
  };
  // Some come in a bundle that the page fetches when it needs it, which may be after wa-js has looked.
  let timer = null;
  const watch = (every) => {
    clearInterval(timer);
    timer = setInterval(() => { if (window.require && window.__d) take(session.hasRun); if (!missing.size) clearInterval(timer); }, every);
  };
  watch(50);
  setTimeout(() => { if (missing.size) watch(2000); }, 60_000); // some pages never have all
  // Where the page has one under another id, wa-js finds it by its shape.
  const SHAPED = {
    WAWebCmd: 'Cmd', WAWebSocketModel: 'Socket', WAWebStreamModel: 'Stream', WAWebNetworkStatus: 'NetworkStatus', WAWebConnModel: 'Conn',
    WAWebMsgCollection: 'MsgStore',
  };
  const takeShaped = () => {
    for (const [id, name] of Object.entries(SHAPED)) {
      const found = missing.has(id) && WPP.whatsapp[name];
      if (!found) continue;
      missing.delete(id);
      try { listeners[id]({ [name]: found, default: found }); } catch { /* an unknown page */ }
    }
  };
  WPP.loader.onInjected(() => { take(() => true); takeShaped(); watch(250); session.wake('injected'); });

  let isLoaded = false;
  const loaderCame = () => {
    if (isLoaded || !window.require || !window.__d) return;
    isLoaded = true;
    queueMicrotask(() => take(() => true));
  };
  // wa-js waits for the same two by setters of its own, which go on working behind these.
  for (const name of ['__d', 'require']) {
    const theirs = Object.getOwnPropertyDescriptor(window, name);
    if (!theirs?.set || !theirs.configurable) continue;
    Object.defineProperty(window, name, { ...theirs, set(value) { theirs.set.call(window, value); loaderCame(); } });
  }
})();
