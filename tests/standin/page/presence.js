// What others are doing, as far as they let it be seen, and what this page lets others see of a chat.

import { Collection, Model } from './emitter.js';

class Presence extends Model {
  get isUser() { return this.id.isUser(); }
  get isGroup() { return this.id.isGroup(); }
  async subscribe() {}
}

export class PresenceCollection extends Collection {}

export class Presences {
  all = new PresenceCollection();

  of(id) {
    const chatstate = new Model({ type: undefined });
    const chatstates = new Collection();
    return this.all.get(id) ?? this.all.add(new Presence({ id, isOnline: false, hasData: false, chatstate, chatstates }));
  }

  // `id` is whose chat it is. Typing implies that somebody is there.
  seen(id, state) {
    const presence = this.of(id);
    presence.set({ hasData: true, isOnline: state !== 'unavailable' });
    if (presence.chatstate.type === state) return;
    presence.chatstate.set('type', state);
    this.all.trigger('change:chatstate.type', presence.chatstate);
  }
}

export const chatPresence = (sender) => ({
  markComposing: async (chat) => { sender.signal('composing', { to: String(chat.id) }); },
  markRecording: async (chat) => { sender.signal('recording', { to: String(chat.id) }); },
  markPaused: async (chat) => { sender.signal('paused', { to: String(chat.id) }); },
});
