// One look at the page; `states.facts` names the fields. Reads only, and never throws: what is missing is null.
// Two names and a number tell in every language that the page works with another browser. Texts are matched here so that
// no chat content ever leaves the page. They are second witnesses: what only a text tells is not known in another language,
// so a window with an unknown text is told as such, and the classification knows silence.
() => {
  const maybe = (read) => { try { return read() ?? null; } catch { return null; } };
  const session = window.__session;
  const module = (id) => maybe(() => session.module(id));
  const idOf = (wid) => wid?._serialized ?? String(wid);
  const text = (node) => node?.innerText?.slice(0, 4000) ?? '';

  const wpp = window.WPP;
  const byLibrary = wpp?.isInjected === true; // before that, WPP.whatsapp's getters throw
  const booted = Boolean(window.__d) && document.querySelector('#app') !== null;
  // wa-js takes a second until it knows the page's modules. A page that has its code on the screen, and says by modules that it
  // has run itself that no phone is linked, is not waited for, neither then nor when that code is scanned meanwhile.
  const own = (id) => (!byLibrary && booted && maybe(() => session.hasRun(window.require('__debug').modulesMap[id])) ? module(id) : null);
  const early = maybe(() => own('WAWebSocketModel').Socket);
  const isRegistered = () => maybe(() => own('WAWebUserPrefsMultiDevice').isRegistered());
  if (maybe(() => early.state) === 'UNPAIRED' && isRegistered() === false && maybe(() => session.shownCode()) !== null) session.offered ??= performance.now();
  // Not for ever: without wa-js no round of codes can be asked for, and nothing can be sent.
  const isEarly = early !== null && session.offered !== null && performance.now() - session.offered < 30_000;
  const injected = byLibrary || isEarly;
  const socket = byLibrary ? maybe(() => wpp.whatsapp.Socket) : isEarly ? early : null;
  const conn = byLibrary ? maybe(() => wpp.whatsapp.Conn) : isEarly ? maybe(() => own('WAWebConnModel').Conn) : null;
  const registered = byLibrary ? maybe(() => session.isRegistered()) : isEarly ? isRegistered() : null;
  const state = maybe(() => socket.state);
  const synced = Boolean(maybe(() => socket.hasSynced));
  const read = maybe(() => socket.stream);
  // Nothing can be sent before wa-js is there, so until then it is syncing.
  const stream = isEarly && read === 'CONNECTED' ? 'SYNCING' : read;
  const streaming = registered === true && stream === 'CONNECTED';
  const hasChats = streaming || synced;

  const mutex = module('WAWebUserPrefsTabMutex');
  const holdsMutex = maybe(() => mutex.currentTabHasMutex());
  const isHeld = Boolean(maybe(() => mutex.getMutex()));
  // What is noted here, for later looks at this document.
  if (registered) session.wasLinked = true;
  if (holdsMutex && session) session.heldMutex = true;
  if (registered && session?.isLetIn(stream)) session.wasLetIn = true;
  if (streaming) maybe(() => session.screen.note());

  const dialog = maybe(() => session.window().kind);
  const comms = module('WAComms');

  const code = registered === false && state === 'UNPAIRED' ? maybe(() => session.shownCode()) : null;
  // Not where chats are on the screen, which may say anything, nor where a code is, which a refused page has not.
  const byText = !hasChats && code === null;
  // A page that has been synced and hears nothing still has them, or a screen in their place.
  const overChats = registered === true && synced && !session?.isLetIn(stream);
  const refusal = (kind) => (injected ? maybe(() => session.refusal(kind, { byText, overChats })) : null);
  // "Continue on WhatsApp Web" is where linking stops for a passkey; the other words stand on the screens that follow it,
  // of which the last wants the link confirmed.
  const asksForPasskey = () => {
    const shown = registered === false ? text(document.body) : '';
    if (/continue on whatsapp web/i.test(shown)) return true;
    const confirms = state === 'UNPAIRED' && document.querySelector('canvas') === null && /\bconfirm\b/i.test(shown);
    return code === null && (/pass-?key/i.test(shown) || confirms);
  };

  const restriction = (streaming && maybe(() => session.restriction())) || { timeLocked: false, capped: false, until: null };

  const asked = performance.getEntriesByType('navigation')[0];
  // What is in the tab, as long as it is not the page: who answered, with what, and what is still on its way.
  const hostOf = (url) => maybe(() => new URL(url, document.baseURI).hostname);
  const isHtml = (entry) => /html/.test(entry.contentType ?? '');
  const refused = (entry) => entry && { host: hostOf(entry.name), status: entry.responseStatus || null };
  const lookAtDocument = () => {
    const scripts = performance.getEntriesByType('resource').filter((entry) => entry.initiatorType === 'script');
    const fetched = new Set(scripts.map((entry) => entry.name));
    const waiting = [...document.scripts].find((script) => script.src && !fetched.has(script.src));
    const failed = scripts.find((entry) => entry.responseStatus >= 400 || isHtml(entry));
    return {
      isError: location.protocol === 'chrome-error:',
      status: asked?.responseStatus || null,
      host: location.hostname,
      complete: document.readyState === 'complete',
      isApp: Boolean(window.__d) || document.querySelector('#app') !== null,
      waitsFor: waiting ? hostOf(waiting.src) : null,
      script: refused(failed) ?? session?.script ?? null,
    };
  };
  // Known by the browser's own events in every language; the words are those of the page's window or screen in English.
  const DATABASE_ERROR = /^an? database error/i;
  const saysStorageFails = () => dialog === 'DatabaseError' || (byText && /\ba database error\b/i.test(text(document.body)))
    || (overChats && maybe(() => session.screen.ownText(DATABASE_ERROR)) !== null);
  const storageFails = () => Boolean(session?.storage) && (session.storage.lasting || performance.now() - session.storage.seen < 300_000);
  const LOGOUT_REASONS = { 0: 'client_fatal', 1: 'syncd_failure', 2: 'history_sync_timeout', 3: 'account_locked' };
  const words = [state, maybe(() => wpp.whatsapp.Stream.mode)];
  return {
    booted, injected, registered, code, dialog, timeLocked: restriction.timeLocked, capped: restriction.capped,
    account: registered ? maybe(() => idOf(module('WAWebUserPrefsMeUser').getMaybeMePnUser())) : null,
    origin: performance.timeOrigin,
    clockMs: Date.now(),
    document: booted && injected && registered !== null ? null : maybe(lookAtDocument),
    refused: !booted && /whatsapp/i.test(text(document.body)) && /google chrome\s*\d{2,3}/i.test(text(document.body)),
    socket: state, stream, synced,
    online: byLibrary ? maybe(() => wpp.conn.isOnline()) ?? (navigator.onLine ? null : false) : null,
    needsUpdate: byLibrary && Boolean(maybe(() => wpp.whatsapp.Stream.needsUpdate)),
    version: maybe(() => window.Debug.VERSION),
    // The other tab gives it back when it is closed; the window that it has left over this page stays.
    foreignMutex: holdsMutex === false && (isHeld || Boolean(dialog && session?.heldMutex)),
    lostMutex: holdsMutex === false && isHeld && session?.heldMutex === true,
    otherScreen: overChats && maybe(() => session.screen.isOther()) === true,
    wasLetIn: registered === true && session?.wasLetIn === true,
    comms: comms === null ? null : maybe(() => comms.getComms() != null),
    codeLifetimeMs: maybe(() => conn.refTTL),
    // Of one that the page does not show, too: wa-js gives it without its age.
    codeAgeMs: session?.code && (code === null || code.includes(session.code.ref)) ? performance.now() - session.code.since : null,
    pairing: session?.pairing ? {
      code: session.pairing.code,
      ageMs: session.pairing.since === null ? null : performance.now() - session.pairing.since,
      answeredAgeMs: session.pairing.answered === null ? null : performance.now() - session.pairing.answered,
      failed: session.pairing.failed, limited: session.pairing.limited,
    } : null,
    passkey: maybe(() => session.passkey({ registered, code, isShown: asksForPasskey() })),
    ban: refusal('ban'),
    unavailable: refusal('unavailable') !== null,
    // The reason of a logout stands in the address by which the document after it was asked for. It is none of what
    // follows: a reload of that document, or the next logout of one to which a phone was linked again.
    logoutReason: session?.wasLinked || asked?.type === 'reload' ? null
      : maybe(() => LOGOUT_REASONS[new URL(asked.name).searchParams.get('logout_reason')]),
    storageFailed: storageFails() || (injected && saysStorageFails()),
    termsBlocked: registered === true && words.some((word) => /^(SMB_)?TOS_BLOCK$/.test(word)),
    // Of a page that receives, the mode alone says nothing.
    deprecated: !streaming && words.includes('DEPRECATED_VERSION'),
    restrictedUntil: restriction.until,
  };
}
