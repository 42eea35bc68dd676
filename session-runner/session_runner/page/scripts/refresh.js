// Ask for a new round of QR codes; returns which way worked, or null. Restarting the socket is right only while no
// phone is linked, so that is asked first. The promises of these ways may never end, so the effect is what counts.
async () => {
  const { Conn, Socket } = window.WPP.whatsapp;
  const { code } = window.__session;
  const isStuck = () => code && Conn.ref === code.ref && performance.now() - code.since > Conn.refTTL + 1500;
  const isNeeded = () => window.__session.isRegistered() === false
    && (Socket.state === 'UNPAIRED_IDLE' || (Socket.state === 'UNPAIRED' && isStuck()));
  const works = async (way) => {
    try { Promise.resolve(way()).catch(() => {}); } catch { return false; }
    for (const end = performance.now() + 700; performance.now() < end;) {
      await new Promise((done) => setTimeout(done, 50));
      if (!isNeeded()) return true;
    }
    return false;
  };
  if (!isNeeded()) return 'not needed';
  const id = 'WAWebLaunchSocketUtils';
  const known = window.require('__debug').modulesMap;
  if (id in known && await works(() => window.require(id).refreshQR())) return 'socket';
  if (await works(() => window.WPP.conn.refreshQR())) return 'wa-js';
  const BUTTON = 'button, [role=button]';
  // The one button of the code's area: in it, around it, or the only one beside it.
  const buttonOf = (code_) => {
    const around = code_?.closest(BUTTON);
    if (around) return around;
    for (let area = code_; area && area !== document.body; area = area.parentElement) {
      const found = area.querySelectorAll(BUTTON);
      if (found.length) return found.length === 1 || area === code_ ? found[0] : null;
    }
    return null;
  };
  const button = buttonOf(document.querySelector('[data-ref]') ?? document.querySelector('canvas'));
  return button && await works(() => button.click()) ? 'button' : null;
}
