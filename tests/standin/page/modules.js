// The modules that wa-js and a runner find, under the real page's ids. Each exports what its counterpart is known for
// and nothing else: a name too many would be taken for another module (see loader.js).

import { CmdImpl } from './announce.js';
import { createWid } from './identity.js';
import { SOCKET_STATE, SOCKET_STREAM } from './state.js';
import { decode, encode } from './storage.js';
import { define } from './loader.js';
import { isNoticeAcknowledged } from './screens.js';
import { reasons } from './logout.js';
import { defineChats } from './modules_chats.js';

const VERSIONS = { legacy: '2.3000.1020000000', modern: '2.3000.1040000000' };

function buildConstants(version) {
  const [primary, secondary, tertiary] = version.split('.');
  return {
    VERSION_STR: version, VERSION_BASE: version,
    VERSION_PRIMARY: primary, VERSION_SECONDARY: secondary, VERSION_TERTIARY: tertiary,
  };
}

export function defineModules(parts) {
  defineSession(parts);
  defineLogin(parts);
  defineChats(parts);
}

function defineSession({ mode, state, connection, announce, session, mutex, refreshQR }) {
  define('WAWebUpdaterVersion', { SANITIZED_VERSION_STR: VERSIONS[mode] });
  define('WAWebBuildConstants', buildConstants(VERSIONS[mode]));
  define('WAWebSocketModel', { Socket: state.socket });
  define('WAWebSocketConstants', { SOCKET_STATE, SOCKET_STREAM });
  define('WAWebStreamModel', { Stream: state.stream });
  define('WAWebConnModel', { Conn: state.conn });
  define('WAWebNetworkStatus', { default: state.network });
  define('WAWebCmd', { Cmd: announce.cmd, CmdImpl });
  define('WAWebBackendEventBus', { BackendEventBus: announce.bus, BackendEvent: {} });
  define('WAWebLogoutReason', reasons);
  define('WAWebHandleStreamError', session.streamErrors);
  define('WAComms', { getComms: () => connection.comms, stopComms: () => connection.stop() });
  define('WAWebUserPrefsTabMutex', {
    getMutex: () => mutex.value,
    currentTabHasMutex: () => mutex.held,
    setNoTakeover: (wanted) => mutex.setNoTakeover(wanted),
  });
  define('WAWebReachoutTimelockUtils', { isUserReachoutTimelocked: () => state.restriction.kind === 'timelock' });
  define('WAWebIndividualNewChatMessageCappingLimitUtils', {
    getCappingStatus: () => (state.restriction.kind === 'capping' ? 'CAPPED' : 'NONE'),
    getCappingData: () => ({ quota: 30, used: 30, cycle: { end: state.restriction.until } }),
  });
  if (mode === 'modern') define('WAWebUserPrefsUiRefresh', { getWebUiRefreshNuxAcknowledged: isNoticeAcknowledged });
  // It restarts the socket at once, and its promise may never end.
  if (mode === 'modern') define('WAWebLaunchSocketUtils', { refreshQR() { refreshQR(); return new Promise(() => {}); } });
  else announce.cmd.refreshQR = refreshQR;
}

function defineLogin({ login, pairing, linking }) {
  const me = () => (login.registered ? createWid(`${login.number}@c.us`) : undefined);
  // Real linked ids are unrelated to the number; here the digits are turned round, which is enough to tell them apart.
  const lid = () => (login.registered ? createWid(`${[...login.number].reverse().join('')}@lid`) : undefined);
  define('WAWebUserPrefsIsLoggedIn', { isLoggedIn: () => login.registered });
  define('WAWebUserPrefsMultiDevice', { isRegistered: () => login.registered });
  define('WAWebUserPrefsMeUser', { getMaybeMePnUser: me, getMaybeMeLidUser: lid, getMeLidUserOrThrow: lid });
  define('WABase64', { encodeB64: encode, decodeB64: decode });
  define('WAWebSignalStoreApi', {
    waSignalStore: { getRegistrationInfo: async () => ({ identityKeyPair: { pubKey: decode(login.identityKey) } }) },
  });
  define('WAWebUserPrefsInfoStore', {
    waNoiseInfo: { get: async () => ({ staticKeyPair: { pubKey: decode(login.noiseKey) } }) },
  });
  define('WAWebAdvSignatureApi', { getADVSecretKey: () => login.advSecret, setADVSignedIdentity: async () => {} });
  define('WAWebAltDeviceLinkingApi', {
    initializeAltDeviceLinking: async () => {},
    genLinkDeviceCodeForPhoneNumber: (phone) => linking.request(phone),
  });
  define('WAWebLinkDeviceEvents', { WAWebLinkDeviceEvents: linking.events });
  define('WAWebCompanionRegClientUtils', { DEVICE_PLATFORM: pairing.platform });
}
