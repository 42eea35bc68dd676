// Runs at document start, after the bridge. Keeps what the page told of a ban and of an outage for as long as the page
// shows it: nothing tells when either is over. It is when the service has let the page in, when the words by which the
// screen is known are gone, or, in a language that is not known, when the screen that came with the event is gone.
// What is compared stays in the page.
(() => {
  const session = window.__session;
  if (window !== window.top || !session) return;

  const KNOWN = { ban: /temporarily banned/i, unavailable: /\bunavailable\b|\bnot available\b|\b(error|status|code)\W{0,3}503\b/i };
  // What its own screen says first.
  const BEGINS = { ban: /^you(.re| are) temporarily banned/i, unavailable: /^(503\W+)?((the |this |our )?service|whatsapp)\b.{0,30}\bunavailable\b.{0,20}$/i };
  const SETTLED = 800; // milliseconds until the screen of an event is up: a page that is slower than that is late here, too
  const KEPT = 10_000; // milliseconds that the stream may take to end after an event
  const EVERY = 200;
  const text = (node) => node?.innerText?.slice(0, 4000) ?? '';
  const front = () => [...document.querySelectorAll('[role=dialog]')].find(session.isShown) ?? document.querySelector('#app') ?? document.body;
  // With what is behind a window or beside the page's root: one that opens over a screen does not end it.
  const screen = () => [front(), document.querySelector('#app'), document.body].map(text).join('\n');
  // Without digits: a screen may count down.
  const lines = (said) => said.split('\n').map((line) => line.replace(/[\d\s]+/g, '')).filter((line) => line.length > 2);

  const present = { ban: null, unavailable: null };
  let timer = null;

  const end = (kind) => {
    present[kind] = null;
    session.wake(kind);
  };
  // Who receives is let in, whatever is on the screen: there are chats, and they may say anything.
  session.receives = () => {
    try { return session.isRegistered() && WPP.whatsapp.Socket.state === 'CONNECTED' && WPP.whatsapp.Socket.stream === 'CONNECTED'; } catch { return false; }
  };
  const look = (kind) => {
    const refusal = present[kind];
    if (!refusal) return;
    if (session.receives()) { // for a while that may be so with an event whose stream is about to end
      if (performance.now() - refusal.seen >= KEPT) end(kind);
      return;
    }
    const said = screen();
    if (KNOWN[kind].test(said)) refusal.known = true;
    else if (refusal.known) end(kind);
    else if (refusal.up === null || performance.now() - refusal.up < SETTLED) {
      refusal.lines = new Set(lines(text(front())));
      if (refusal.up === null && session.screen.isOther() !== false) refusal.up = performance.now(); // the chats have made way for it
    }
    else if (refusal.lines.size) {
      const left = new Set(lines(said).filter((line) => refusal.lines.has(line)));
      if (left.size < refusal.lines.size / 2) end(kind);
    }
  };
  const lookAll = () => {
    Object.keys(present).forEach(look);
    if (!present.ban && !present.unavailable) timer = clearInterval(timer);
  };
  const begin = (kind, told) => {
    const isTold = present[kind] && performance.now() - present[kind].seen < 1000;
    if (isTold) return;
    present[kind] = { ...told, seen: performance.now(), up: null, known: false, lines: new Set() };
    timer ??= setInterval(lookAll, EVERY);
  };

  session.hear('account_temporarily_banned', (told) => {
    if (told?.banned === false) end('ban');
    else begin('ban', { code: told?.code ?? null, expire: told?.expire ?? null });
  });
  session.hear('service_unavailable_503', () => begin('unavailable', {}));
  const letIn = () => Object.keys(present).forEach((kind) => { if (present[kind]) end(kind); });
  session.hear('change:state', (state) => { if (state === 'CONNECTED' || state === 'UNPAIRED') letIn(); });
  session.hear('change:stream', (stream) => { if (session.isLetIn(stream)) letIn(); });

  const codeIn = (said) => ({ code: said.match(/\bcode\b\D{0,12}(\d{1,6})/i)?.[1] ?? null, expire: null });
  const overTheChats = (kind) => {
    const heading = session.screen.ownText(BEGINS[kind]);
    return heading && codeIn(text(heading.parentElement ?? heading));
  };

  // What the page shows now; without an event only a text may tell it, and over chats only one that begins a screen.
  session.refusal = (kind, { byText, overChats }) => {
    look(kind);
    if (session.receives()) return null;
    if (present[kind]) return { code: present[kind].code ?? null, expire: present[kind].expire ?? null };
    if (overChats) return overTheChats(kind);
    if (!byText) return null;
    const said = screen();
    return KNOWN[kind].test(said) ? codeIn(said) : null;
  };
})();
