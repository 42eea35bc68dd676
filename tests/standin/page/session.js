// What the server says, and what the page does about it. One method per frame; section 10 of the reference is the table.

import { createWid } from './identity.js';

const RESTRICTIONS = ['reachout_timelock_state_change', 'new_chat_message_capping_state_change'];
const WATCHED = 'CONNECTED';
const LONGEST_TIMER = 2 ** 31 / 1000; // seconds

function busy(seconds) {
  for (const end = performance.now() + seconds * 1000; performance.now() < end;);
}

export class Session {
  screen = null; // { name, detail } when one screen covers all others
  #parts;

  constructor(parts) {
    this.#parts = parts;
  }

  receive(frame) {
    const { pairing, linking, state, dialogs } = this.#parts;
    switch (frame.type) {
      case 'pair-device':
        this.#show(null); // the server has let this page in
        return pairing.begin(frame);
      case 'refs-used-up': return pairing.usedUp();
      case 'pair-success': return this.#paired(frame);
      case 'success': return this.#loggedIn(frame);
      case 'synced': return this.#synced();
      case 'stream-error': return this.streamErrors.default(frame);
      case 'failure': return this.#failed(frame);
      case 'logout': return this.#parts.logout.run(frame.reason);
      case 'needs-update': return state.stream.set('needsUpdate', true);
      case 'dialog': return dialogs.open(frame.kind === 'passkey' ? 'passkey-check' : frame.kind);
      case 'storage-failed':
        dialogs.open(`storage-${frame.language}`);
        return this.#parts.announce.backend('storage_initialization_error', new Error('The database failed.'));
      case 'link-code': return linking.received(frame);
      case 'link-code-event': return linking.told(frame);
      case 'code-entered': return linking.entered();
      case 'passkey-required': return this.#passkey();
      case 'passkey-confirmation': return this.#show({ name: 'confirmation' });
      case 'restriction':
        state.restrict(frame);
        // At a login the page's modules know of it, and no event tells.
        if (!state.socket.hasSynced) return undefined;
        for (const name of RESTRICTIONS) this.#parts.announce.cmd.trigger(name, { expiresAt: frame.until });
        return undefined;
      case 'reload': return location.reload();
      case 'busy': return busy(frame.seconds);
      case 'screen-lock': return state.socket.set('state', frame.locked ? 'SCREEN_LOCKED' : WATCHED);
      default: return this.#talked(frame);
    }
  }

  // Acknowledgements keep their place among the receipts: both change the same messages.
  #talked(frame) {
    const { calls, chats, history, inbox, outbox, people, presences, profiles, transfers } = this.#parts.talk;
    const sender = () => chats.resolve(createWid(frame.from));
    switch (frame.type) {
      case 'message': return inbox.message(frame);
      case 'receipt': return inbox.receipt(frame);
      case 'ack': return inbox.enqueue(() => outbox.acknowledged(frame));
      case 'nack': return inbox.enqueue(() => outbox.refused(frame));
      case 'history':
        history.realProgress = frame.progress;
        return inbox.history(frame);
      case 'looked-up': return people.answered(frame);
      case 'lookup-failed': return people.failed(frame);
      case 'profile': return profiles.answered(frame);
      case 'media-link': return transfers.renewed(frame);
      case 'chat-state': return presences.seen(sender(), frame.state);
      case 'call': return calls.ringing(frame.id, sender(), frame);
      case 'call-ended': return calls.ended(frame.id);
      default: throw new Error(`The server sent a frame this page does not know: ${frame.type}`);
    }
  }

  // An exports object of its own, so that a wrapper put on it is called too.
  streamErrors = {
    default: ({ kind }) => {
      const { connection, logout } = this.#parts;
      if (kind === 'restart') connection.restart();
      else if (kind === 'replaced') connection.stop(); // and nothing else: no dialog, no reconnect
      else if (kind === 'device_removed') logout.run();
    },
  };

  async #paired(frame) {
    const { pairing, connection, dialogs, announce } = this.#parts;
    try {
      await this.#parts.talk.database.destroy(); // a new login begins without the chats of the one before
      await pairing.scanned(frame);
    } catch (error) {
      announce.backend('storage_initialization_error', error);
      dialogs.open('storage');
      return;
    }
    this.#show(null);
    connection.send({ type: 'paired', device: frame.device });
  }

  // The page stops here until the account's owner has signed; a browser without an authenticator waits in vain.
  #passkey() {
    this.#parts.pairing.stop();
    this.#show({ name: 'passkey' });
    const challenge = crypto.getRandomValues(new Uint8Array(32));
    navigator.credentials.get({ publicKey: { challenge, userVerification: 'required', timeout: 60_000 } })
      .catch(() => {}); // the screen stays: the owner signs elsewhere
  }

  #loggedIn({ number }) {
    const { state, connection, announce, login } = this.#parts;
    connection.settled();
    this.#show(null);
    login.number = number;
    state.conn.set({ connected: true, ref: undefined, refTTL: undefined });
    state.socket.set({ state: WATCHED, stream: state.socket.hasSynced ? 'RESUMING' : 'SYNCING' });
    announce.backend('set_socket_state', WATCHED);
    this.#parts.talk.outbox.open();
  }

  #synced() {
    const { state, announce } = this.#parts;
    state.socket.set({ stream: 'CONNECTED', hasSynced: true });
    announce.backend('on_critical_sync_done');
    announce.backend('main_stream_mode_ready');
    announce.mainLoaded();
    // The server has brought what it kept before this frame; it is all stored when the steps before this one are done.
    this.#parts.talk.inbox.enqueue(() => announce.backend('offline_delivery_end'));
  }

  #failed({ code, message, expire, url, silent }) {
    const { connection, logout, announce, state, pairing } = this.#parts;
    switch (code) {
      case 402:
        pairing.withdraw();
        connection.stop();
        this.#show({ name: 'banned', expire, message });
        if (expire && expire < LONGEST_TIMER) setTimeout(() => this.#banOver(), expire * 1000);
        return silent || announce.backend('account_temporarily_banned', { banned: true, code, message, url, expire });
      case 403: return logout.run('account_locked');
      case 401:
      case 406: return logout.run();
      case 405:
        connection.stop();
        state.stream.set('needsUpdate', true);
        return location.reload();
      case 503: // the connection goes on trying; the next login takes the screen away
        pairing.withdraw();
        this.#show({ name: 'unavailable' });
        return silent || announce.backend('service_unavailable_503', { code });
      default: throw new Error(`The server refused the login with a code this page does not know: ${code}`);
    }
  }

  // The page tries again; a server that has not forgiven says so.
  #banOver() {
    this.#show(null);
    this.#parts.connection.start();
  }

  #show(screen) {
    this.screen = screen;
    this.#parts.render();
  }
}
