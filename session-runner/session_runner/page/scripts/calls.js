// Runs at document start, after `inbox`. Which calls ring is read from the page's own list of them; its event wakes, and
// is kept until the runner has looked, for a call that is over by then.
(() => {
  const session = window.__session;
  if (window !== window.top || !session) return;

  const MOST = 20;
  const RINGING = ['INCOMING_RING', 'ReceivedCall', 'ReceivedCallWithoutOffer']; // as the generations of the page name it
  let noted = new Map(); // call's id -> the call

  WPP.on('call.incoming_call', (call) => {
    if (noted.size < MOST) noted.set(call.id, call);
    session.wake('call');
  });

  const rings = (call) => {
    const states = WPP.whatsapp.enums.CALL_STATES ?? {};
    return RINGING.some((name) => states[name] !== undefined && states[name] === call.getState?.());
  };

  // The calls that ring, or rang when this was last asked.
  session.calls = () => {
    const { CallStore } = WPP.whatsapp;
    const listed = [CallStore?.activeCall, ...(CallStore?.getModelsArray() ?? [])].filter((call) => call && rings(call));
    const calls = new Map([...noted, ...listed.map((call) => [call.id, call])]);
    noted = new Map();
    return [...calls.values()].filter(({ id, peerJid }) => id && peerJid).slice(-MOST).map((call) => ({
      id: String(call.id).slice(0, 128), who: session.who(call.peerJid), group: Boolean(call.isGroup), video: Boolean(call.isVideo),
      t: Number.isFinite(call.offerTime) ? call.offerTime : null,
    }));
  };
})();
