// Runs at document start, after the bridge. Names the window that is over the page, for the probe, and finds the button of
// the one notice that is known to be harmless, for `acknowledge.js`: whoever does not press it is unlinked after some minutes.
//
// That notice is known by its shape, one button and nothing else to choose, fill in or follow, and by the page's own
// preference, which says that it was not acknowledged yet. Its words are a second witness: the page's name, which is the same
// in every language; all of the heading where the preference is not in reach.
//
// No event tells of a window, nor of a QR code that is drawn some time after the page got it, so the document is watched: a
// change of it, at most one in a quarter of a second, is followed by a look, and the runner is woken where that finds others
// than the last.
(() => {
  const session = window.__session;
  if (window !== window.top || !session) return;

  const WINDOW = '[role=dialog], [role=alertdialog], [aria-modal=true], dialog[open], [data-animate-modal-popup]';
  const PAUSE = 250; // milliseconds between two looks, whatever the page does
  const BUTTON = 'button, [role=button]';
  const { isShown } = session;
  const text = (node) => node.innerText?.slice(0, 4000) ?? '';

  // A window may be made of several elements, of which the outer one is the window.
  const open = () => {
    const all = [...document.querySelectorAll(WINDOW)].filter(isShown);
    return all.filter((one) => !all.some((other) => other !== one && other.contains(one)));
  };
  const onlyButton = (box) => {
    const buttons = [...box.querySelectorAll(BUTTON)].filter((one) => isShown(one) && /\p{L}/u.test(text(one)) && !one.querySelector(BUTTON));
    const asksMore = box.querySelector('a[href], input, select, textarea, [contenteditable=true]') !== null;
    return buttons.length === 1 && !asksMore ? buttons[0] : null;
  };
  // Whether the notice was acknowledged; null: not known. The preference's name is known, how its module gives it is not, nor
  // whether it is kept under that name.
  const isAcknowledged = () => {
    const preference = /^(get|is|has|was)\w*(Nux\w*Ack|Ack\w*Nux)|^(WA)?(Web)?UiRefreshNuxAcknowledged$/i;
    const found = Object.entries(session.module('WAWebUserPrefsUiRefresh') ?? {}).find(([name]) => preference.test(name));
    if (!found) return { false: false, true: true }[localStorage.getItem('WebUiRefreshNuxAcknowledged')] ?? null;
    const value = typeof found[1] === 'function' && found[1].length === 0 ? found[1]() : found[1];
    if (['function', 'object'].includes(typeof value) && value !== null) return null;
    return Boolean(value) && value !== 'false';
  };
  const isKnownNotice = (said) => {
    let acknowledged = null;
    try { acknowledged = isAcknowledged(); } catch { /* an unknown page */ }
    return acknowledged === null ? /what.s new on whatsapp web/i.test(said) : !acknowledged && /whatsapp web/i.test(said);
  };

  session.window = () => {
    const windows = open();
    const said = windows.map(text).join('\n');
    if (!windows.length) return { kind: null };
    if (/open in another window/i.test(said)) return { kind: 'OtherWindow' };
    if (/security check with passkey/i.test(said)) return { kind: 'PasskeyCheck' };
    if (/\ba database error\b/i.test(said)) return { kind: 'DatabaseError' };
    const button = windows.length === 1 && isKnownNotice(said) ? onlyButton(windows[0]) : null;
    return button ? { kind: 'WhatsNew', button } : { kind: 'Other' };
  };

  let known = null;
  let code = null;
  let timer = null;
  const maybe = (read) => { try { return read(); } catch { return null; } }; // no document yet, or an unknown page
  const look = () => {
    timer = null;
    const [kind, shown] = [maybe(() => session.window().kind), session.wasLinked ? null : maybe(session.shownCode)];
    if (kind !== known) session.wake('window');
    if (shown !== code) session.wake('code');
    [known, code] = [kind, shown];
  };
  new MutationObserver(() => { timer ??= setTimeout(look, PAUSE); }).observe(document, {
    subtree: true, childList: true, attributes: true, attributeFilter: ['role', 'hidden', 'class', 'style', 'open', 'data-ref'],
  });
})();
