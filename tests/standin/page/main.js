// The page's start: read the login, build the parts, publish the modules, and connect once this tab may.

import { Announcer } from './announce.js';
import { Chats } from './chats.js';
import { Connection } from './connection.js';
import { createWid } from './identity.js';
import { Linking } from './linking.js';
import { publish } from './loader.js';
import { Logout } from './logout.js';
import { Messages } from './messages.js';
import { defineModules } from './modules.js';
import { TabMutex } from './mutex.js';
import { Network } from './network.js';
import { Pairing } from './pairing.js';
import { Dialogs, Screens } from './screens.js';
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
  const chats = new Chats();
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
  const messages = new Messages({ chats, connection, self: () => createWid(`${login.number}@c.us`) });
  const logout = new Logout({ login, state, announce, connection });
  const session = new Session({
    state, login, connection, announce, pairing, linking, messages, logout, dialogs, render: () => screens.render(),
  });
  const mutex = new TabMutex({
    answer: config.timing.mutex_answer,
    onEvicted: () => {
      connection.surrender();
      dialogs.open('other-tab');
    },
  });
  // The page of either year stops and starts its socket for new codes; only the name it is found by differs.
  const refreshQR = () => {
    pairing.stop();
    connection.stop();
    connection.start();
  };
  const screens = new Screens({ state, session, pairing, chats, refreshQR });
  Object.assign(state.socket, {
    logout: () => logout.byUser(),
    takeover() { throw new Error('Takeover called without conflict!'); },
  });
  defineModules({
    mode: config.mode, state, connection, announce, session, mutex, refreshQR, login, pairing, linking,
    chats, messages,
  });
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
}

start();
