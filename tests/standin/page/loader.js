// The module registry that wa-js looks for: `require('__debug').modulesMap`, `importNamespace`, `__d`, `require`.
// wa-js tries each of its conditions on every module, and the first match wins: a module may export the names that its
// real counterpart is known for and nothing else.

const registry = Object.create(null);

export function define(id, exports) {
  // wa-js replaces functions on the exports object, so it is kept as it is given, never copied or frozen.
  registry[id] = { id, factory: null, exports };
}

export function load(id) {
  const module = registry[id];
  if (!module) throw new Error(`Requiring unknown module "${id}"`);
  if (module.factory) {
    const { factory } = module;
    module.factory = null;
    module.exports = {};
    factory(module.exports);
  }
  return module.exports;
}

// STRICTLY LAST at start: the moment both globals exist, wa-js begins to count modules.
export function publish() {
  define('__debug', { modulesMap: registry });
  window.ErrorGuard = { skipGuardGlobal() {} };
  window.importNamespace = load;
  window.__d = (id, _dependencies, factory) => { registry[id] = { id, factory, exports: null }; };
  window.require = load;
}
