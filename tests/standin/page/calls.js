// Calls: they ring, and end here or there. Nobody ever hears anything.

import { Collection, Model } from './emitter.js';

export const CALL_STATES = { INCOMING_RING: 'INCOMING_RING', ENDED: 'ENDED', REJECTED: 'REJECTED' };

class Call extends Model {
  getState() { return this.state; }
}

export class CallCollectionImpl extends Collection {
  activeCall = null;

  processIncomingCall(call) {
    return this.add(call);
  }

  setActiveCall(call) {
    this.activeCall = call;
  }
}

export class Calls {
  all = new CallCollectionImpl();
  #sender;

  constructor({ sender }) {
    this.#sender = sender;
  }

  ringing(id, peerJid, { t, video }) {
    const state = CALL_STATES.INCOMING_RING;
    const call = new Call({ id, peerJid, isVideo: video, isGroup: false, offerTime: t, outgoing: false, state });
    this.all.setActiveCall(this.all.processIncomingCall(call));
  }

  ended(id, state = CALL_STATES.ENDED) {
    this.all.get(id)?.set('state', state);
    if (this.all.activeCall?.id === id) this.all.setActiveCall(null);
  }

  // The part of the page that speaks to the telephone network: of all it can do, refusing.
  voip = {
    rejectCall: async () => {
      const { activeCall } = this.all;
      if (!activeCall) return;
      this.#sender.signal('reject', { call: activeCall.id, to: String(activeCall.peerJid) });
      this.ended(activeCall.id, CALL_STATES.REJECTED);
    },
  };
}
