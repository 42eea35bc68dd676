// The page's start: read the login, build the parts, publish the modules, and connect once this tab may.

import { Announcer } from './announce.js';
import { Calls } from './calls.js';
import { Chats } from './chats.js';
import { Connection } from './connection.js';
import { ModelDatabase } from './database.js';
import { burden } from './heavy.js';
import { createWid } from './identity.js';
import { Inbox } from './inbox.js';
import { Linking } from './linking.js';
import { publish } from './loader.js';
import { Logout } from './logout.js';
import { Transfers } from './media.js';
import { Messages, Msg } from './messages.js';
import { defineModules } from './modules.js';
import { TabMutex } from './mutex.js';
import { Network } from './network.js';
import { Outbox } from './outbox.js';
import { Pairing } from './pairing.js';
import { People } from './people.js';
import { Presences } from './presence.js';
import { Profiles } from './profiles.js';
import { Reactions } from './reactions.js';
import { Dialogs, Screens } from './screens.js';
import { Sender } from './sender.js';
import { Session } from './session.js';
import { State } from './state.js';
import { LoginStore } from './storage.js';
import { obeyWindow } from './window.js';

const config = JSON.parse(document.querySelector('meta[name=standin-config]').content);

async function start() {
  const login = new LoginStore();
  const announce = new Announcer(config.mode);
  let storageError = null;
  await login.read().catch((error) => { storageError = error; });
  const { profile } = login;
  const state = new State(login);
  const network = new Network({ state, login, pause: config.timing.backoff_base });
  const pairing = new Pairing({ state, login, form: config.qrForm });
  const dialogs = new Dialogs();
  const hello = () => {
    const { noiseKey, identityKey, device } = login;
    return { load: config.load, profile, noiseKey, identityKey, device, platform: pairing.platform };
  };
  const connection = new Connection({
    state, hello, network, announce, timing: config.timing, onFrame: (frame) => session.receive(frame),
  });
  // The server learns of it with each login and each change.
  const tellPresence = () => connection.send({ type: 'presence', available: state.stream.available });
  state.stream.on('change:available', () => { if (state.socket.stream === 'CONNECTED') tellPresence(); });
  state.socket.on('change:stream', (_model, stream) => { if (stream === 'CONNECTED') tellPresence(); });
  const linking = new Linking({ connection });
  const talk = conversation({ login, state, connection });
  const logout = new Logout({ login, state, announce, connection, database: talk.database });
  const session = new Session({
    state, login, connection, announce, pairing, linking, logout, dialogs, talk, render: () => screens.render(),
  });
  const mutex = new TabMutex({
    answer: config.timing.mutex_answer,
    onEvicted: () => {
      connection.surrender();
      talk.database.close();
      dialogs.open('other-tab');
    },
  });
  // The page of either year stops and starts its socket for new codes; only the name it is found by differs.
  const refreshQR = () => {
    pairing.stop();
    connection.stop();
    connection.start();
  };
  const screens = new Screens({ state, session, pairing, chats: talk.chats, refreshQR });
  Object.assign(state.socket, {
    logout: () => logout.byUser(),
    takeover() { throw new Error('Takeover called without conflict!'); },
  });
  defineModules({
    mode: config.mode, state, connection, announce, session, mutex, refreshQR, login, pairing, linking, talk,
  });
  if (login.registered) await talk.restore().catch((error) => { storageError = error; });
  publish();
  screens.render();
  obeyWindow(mutex);
  if (storageError) {
    announce.backend('storage_initialization_error', storageError);
    dialogs.open('storage');
    return;
  }
  if (login.damaged) {
    await logout.run('missing_enc_salt');
    return;
  }
  if (await mutex.acquire()) connection.start();
  else dialogs.open('other-tab');
  burden(config.heavy);
}

// Everything about chats and messages. `restore` shows what the profile holds of them.
function conversation({ login, state, connection }) {
  const self = () => createWid(`${login.number}@c.us`);
  const database = new ModelDatabase();
  const people = new People({ connection, database });
  const presences = new Presences();
  const profiles = new Profiles({ connection });
  const chats = new Chats({ database, people, presences });
  const messages = new Messages({ chats, database });
  const reactions = new Reactions({ database });
  const outbox = new Outbox({ connection, database, messages });
  const transfers = Msg.transfers = new Transfers({ connection });
  const sender = new Sender({ chats, messages, outbox, transfers, connection, self });
  const calls = new Calls({ sender });
  const inbox = new Inbox({ chats, connection, database, messages, people, reactions, self });
  state.socket.on('change:stream', (_model, stream) => { if (stream === 'DISCONNECTED') outbox.close(); });
  const restore = async () => {
    await people.restore();
    await chats.restore();
    await messages.restore();
  };
  return {
    calls, chats, database, history: { realProgress: 100, remainingPausedSeconds: 0 }, inbox, messages, outbox, people,
    presences, profiles, reactions, restore, self, sender, transfers,
  };
}

start();
