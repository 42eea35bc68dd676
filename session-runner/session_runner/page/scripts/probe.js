// One look at the page; `states.facts` names the fields. Reads only, and never throws: what is missing is null.
// Texts are matched here so that no chat content ever leaves the page.
() => {
  const maybe = (read) => { try { return read() ?? null; } catch { return null; } };
  // Asking for an unknown module throws and the page may report that, so look before asking.
  const known = maybe(() => window.require('__debug').modulesMap) ?? {};
  const module = (id) => (id in known ? maybe(() => window.require(id)) : null);
  const text = (node) => node?.innerText?.slice(0, 4000) ?? '';

  const wpp = window.WPP;
  const injected = wpp?.isInjected === true; // before that, WPP.whatsapp's getters throw
  const socket = injected ? maybe(() => wpp.whatsapp.Socket) : null;
  const booted = Boolean(window.__d) && document.querySelector('#app') !== null;
  const registered = injected ? maybe(() => wpp.conn.isRegistered()) : null;
  const streaming = registered === true && socket?.stream === 'CONNECTED';
  const screen = streaming ? '' : text(document.querySelector('#app') ?? document.body); // innerText is dear on a full page

  const mutex = module('WAWebUserPrefsTabMutex');
  const comms = module('WAComms');
  const box = document.querySelector('[role=dialog], [data-animate-modal-popup]');
  const said = box ? text(box) : '';
  const dialog = /open in another window/i.test(said) ? 'OtherWindow'
    : /security check with passkey/i.test(said) ? 'PasskeyCheck'
    : /what.s new on whatsapp web/i.test(said) ? 'WhatsNew' : null;

  let code = null;
  if (registered === false && socket?.state === 'UNPAIRED') {
    code = document.querySelector('[data-ref]')?.getAttribute('data-ref') || null;
  }
  const latched = window.__sessionLatched;
  // What is in the tab, as long as it is not the page: who answered, with what, and what is still on its way.
  const hostOf = (url) => maybe(() => new URL(url, document.baseURI).hostname);
  const isHtml = (entry) => /html/.test(entry.contentType ?? '');
  const refusal = (entry) => entry && { host: hostOf(entry.name), status: entry.responseStatus || null };
  const lookAtDocument = () => {
    const scripts = performance.getEntriesByType('resource').filter((entry) => entry.initiatorType === 'script');
    const fetched = new Set(scripts.map((entry) => entry.name));
    const waiting = [...document.scripts].find((script) => script.src && !fetched.has(script.src));
    const failed = scripts.find((entry) => entry.responseStatus >= 400 || isHtml(entry));
    return {
      isError: location.protocol === 'chrome-error:',
      status: performance.getEntriesByType('navigation')[0]?.responseStatus || null,
      host: location.hostname,
      complete: document.readyState === 'complete',
      isApp: Boolean(window.__d) || document.querySelector('#app') !== null,
      waitsFor: waiting ? hostOf(waiting.src) : null,
      script: refusal(failed) ?? latched?.script ?? null,
    };
  };
  return {
    booted, injected, registered, dialog, code,
    document: booted && injected && registered !== null ? null : maybe(lookAtDocument),
    refused: !booted && /works with Google Chrome/i.test(text(document.body)),
    socket: socket?.state ?? null,
    stream: socket?.stream ?? null,
    synced: Boolean(socket?.hasSynced),
    online: injected ? maybe(() => wpp.conn.isOnline()) : null,
    needsUpdate: injected && Boolean(maybe(() => wpp.whatsapp.Stream.needsUpdate)),
    version: maybe(() => window.Debug.VERSION),
    foreignMutex: mutex !== null && Boolean(maybe(() => mutex.getMutex())) && maybe(() => mutex.currentTabHasMutex()) === false,
    comms: comms === null ? null : maybe(() => comms.getComms() !== null),
    codeLifetimeMs: maybe(() => wpp.whatsapp.Conn.refTTL),
    passkey: registered === false && /continue on whatsapp web/i.test(screen),
    ban: latched?.ban ?? (registered !== false && /you.re temporarily banned/i.test(screen) ? { code: null, expire: null, seen: null } : null),
    unavailable: latched?.unavailable ?? null,
    storageFailed: Boolean(latched?.storage) && (latched.storage.lasting || performance.now() - latched.storage.seen < 300_000),
    timeLocked: streaming && maybe(() => module('WAWebReachoutTimelockUtils').isUserReachoutTimelocked()) === true,
  };
}
