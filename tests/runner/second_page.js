// A second page, by another hand than the stand-in: the smallest one that wa-js accepts, without a server. It defines its
// modules when they are asked for, has attributes that are getters, and is told what to be by `window.control`.

(() => {
  const { generation, early, late, mode } = JSON.parse(document.querySelector('#app').dataset.config);
  const registry = Object.create(null);
  const define = (id, factory) => { registry[id] = { id, factory, ready: false, exports: null }; };
  function load(id) {
    const module = registry[id];
    if (!module) throw new Error(`Requiring unknown module "${id}"`);
    if (!module.ready) {
      module.ready = true;
      module.exports = {};
      module.factory(module.exports);
    }
    return module.exports;
  }

  class Emitter {
    heard = {};
    on(name, listener) { (this.heard[name] ??= []).push(listener); }
    off(name, listener) { this.heard[name] = (this.heard[name] ?? []).filter((one) => one !== listener); }
    trigger(name, ...args) { (this.heard[name] ?? []).forEach((listener) => listener(...args)); }
  }
  class CmdImpl extends Emitter {}
  class Model extends Emitter {
    #values;
    constructor(values) {
      super();
      this.#values = values;
      for (const name of Object.keys(values)) Object.defineProperty(this, name, { get: () => this.#values[name] });
    }
    set(changes) {
      for (const [name, value] of Object.entries(changes)) {
        if (this.#values[name] === value) continue;
        this.#values[name] = value;
        this.trigger(`change:${name}`, this, value);
      }
    }
  }

  const page = {
    registered: false, comms: {}, mutex: '"t1:init_1"', holds: true, capping: 'NONE', quota: {}, locked: false, reason: null,
  };
  const Socket = new Model({ state: 'UNLAUNCHED', stream: 'DISCONNECTED', hasSynced: false });
  const Stream = new Model({ mode, info: 'NORMAL', needsUpdate: false });
  const Conn = new Model({ ref: undefined, refTTL: undefined, connected: false });
  const network = Object.assign(new Model({ online: true }), { checkOnline() {} });
  const Cmd = new CmdImpl();
  const BackendEventBus = new Emitter();
  const bytes = new Uint8Array(32);

  const modules = {
    __debug: { modulesMap: registry },
    WAWebUpdaterVersion: { SANITIZED_VERSION_STR: '2.3000.1' },
    WAWebUserPrefsIsLoggedIn: { isLoggedIn: () => page.registered },
    WAWebUserPrefsMultiDevice: { isRegistered: () => page.registered },
    WAWebSocketModel: { Socket },
    WAWebSocketConstants: { SOCKET_STATE: { UNPAIRED_IDLE: 'UNPAIRED_IDLE' } },
    WAWebStreamModel: { Stream },
    WAWebConnModel: { Conn },
    WAWebNetworkStatus: { default: network },
    WAWebCmd: { Cmd, CmdImpl },
    WAWebBackendEventBus: { BackendEventBus, BackendEvent: {} },
    WAWebLogoutReason: { getErrorCodeFromLogoutReason: () => undefined },
    WAWebUserPrefsMeUser: { getMaybeMePnUser() {}, getMaybeMeLidUser() {}, getMeLidUserOrThrow() {} },
    WABase64: { encodeB64: (data) => btoa(String.fromCharCode(...data)), decodeB64() {} },
    WAWebSignalStoreApi: { waSignalStore: { getRegistrationInfo: async () => ({ identityKeyPair: { pubKey: bytes } }) } },
    WAWebUserPrefsInfoStore: { waNoiseInfo: { get: async () => ({ staticKeyPair: { pubKey: bytes } }) } },
    WAWebAdvSignatureApi: { getADVSecretKey: () => 'adv', setADVSignedIdentity() {} },
    WAWebCompanionRegClientUtils: { DEVICE_PLATFORM: '1' },
    WAComms: { getComms: () => page.comms },
    WAWebUserPrefsTabMutex: { getMutex: () => page.mutex, currentTabHasMutex: () => page.holds, setNoTakeover() {} },
    WAWebReachoutTimelockUtils: { isUserReachoutTimelocked: () => page.locked },
    WAWebIndividualNewChatMessageCappingLimitUtils: { getCappingStatus: () => page.capping, getCappingData: () => page.quota },
  };
  const chats = window.secondChats?.({ Emitter, Model, generation });
  const all = Object.entries({ ...modules, ...chats?.modules });
  const bring = (some) => some.forEach(([id, exports]) => define(id, (target) => Object.assign(target, exports)));
  bring(all.filter(([id]) => !late.includes(id)));

  const tell = (name, told) => (generation === 'modern' ? Cmd.trigger(`${name}_from_bridge`, told) : BackendEventBus.trigger(name, told));
  const app = document.querySelector('#app');
  window.control = {
    ...chats?.controls,
    be: (changes) => Object.assign(page, changes),
    socket: (changes) => Socket.set(changes),
    outdated() { Stream.set({ needsUpdate: true }); location.reload(); },
    network: (online) => network.set({ online }),
    connected() {
      page.registered = true;
      Conn.set({ ref: undefined, connected: true });
      Socket.set({ state: 'CONNECTED', stream: 'CONNECTED', hasSynced: true });
    },
    code(ref, { isShown = true } = {}) {
      page.registered = false;
      Conn.set({ ref: undefined, connected: false });
      Socket.set({ state: 'UNPAIRED', stream: 'DISCONNECTED', hasSynced: false });
      Conn.set({ refTTL: 20_000, ref });
      app.innerHTML = isShown ? `<div data-ref="${ref},k,k,s,1"><canvas></canvas></div>` : '<canvas></canvas>';
    },
    screen: (html) => { app.innerHTML = html; },
    over: (html) => document.body.insertAdjacentHTML('beforeend', `<div class="over">${html}</div>`),
    away: () => document.querySelectorAll('.over').forEach((one) => one.remove()),
    tell,
    bring: () => { bring(all.filter(([id]) => late.includes(id))); late.forEach(load); }, // what comes in a bundle that is fetched later
    cmd: (name, ...told) => Cmd.trigger(name, ...told),
    logsOut: (reason) => load('WAWebLogoutReason').getErrorCodeFromLogoutReason(reason),
  };

  window.ErrorGuard = { skipGuardGlobal() {} };
  window.importNamespace = load;
  window.__d = (id, _needs, factory) => define(id, factory);
  window.require = load;
  // What a page tells in its first moments, before anybody but its own code listens.
  if (early) setTimeout(() => { for (const [name, given] of Object.entries(early)) window.control[name](...given); });
})();
