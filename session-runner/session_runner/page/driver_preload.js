// Loaded by Node before Playwright's driver (`page.driver` says how and why). Changes memory, and two of its habits.
//
// The driver is one command of Playwright's command line, `run-driver`. Its two bundles hold all the other commands,
// too, and run what those need: an agent's tools with their schemas, 16 MB of a session. Here the bundles are loaded
// as if the command line had this one command. Bundles of a version that is not known here are loaded as they are, which
// costs memory, and the page counts as looked at (FOCUS); tests/unit/runner/test_driver.py fails for a Playwright that is new.
//
// To cut the bundles and to compile them is most of a driver's start. The build of the image does both once
// (`first_start`, by DRIVER_PREPARE): DRIVER_PREPARED is the folder with what came of it.
'use strict';
const fs = require('fs');
const Module = require('module');
const path = require('path');
const v8 = require('v8');
const vm = require('vm');

// esbuild names the file that a section of a bundle was made from in a line of its own.
const SECTION = /^\/\/ ((?:packages|node_modules)\/\S+)\n/m;
const UNUSED = {
  'coreBundle.js': /^packages\/playwright-core\/src\/(tools\/|cli\/(?!driver\.ts$))/,
  'utilsBundle.js': /^node_modules\/(zod|zod-to-json-schema|@modelcontextprotocol|@hono)\//,
};
const START_ALL = '\ninit_coreBundle();\n';
const START_DRIVER = '\ninit_driver();\nrunDriver();\n';
// Playwright pretends to every page that it has the focus, and has no option not to. WhatsApp then takes the session for a
// person who looks at it, and the phone gets no notifications.
const FOCUS = ['"Emulation.setFocusEmulationEnabled", { enabled: true }', '"Emulation.setFocusEmulationEnabled", { enabled: false }'];
// It keeps the last 10,000 requests of a page; a page that retries without end costs 80 MB by them.
const KEPT = ['}[gcBucket] ?? 1e4;', ', "Request": 200, "WebSocket": 200}[gcBucket] ?? 1e4;'];
// It hands its list of 140 devices to each client, which looks at every field. A session plays no phone.
const DEVICES = ['Object.entries(deviceDescriptors).map(([name, descriptor]) => ({ name, descriptor }));', '[];'];
// Modules of Node that take a tenth of a start and serve other commands: it talks to the browser by pipes.
const LATER = ['http2', 'https', 'tls'];
const NEEDED = [FOCUS[0], KEPT[0], DEVICES[0], START_ALL, '\nfunction runDriver() {\n', '\nvar init_driver = __esm({\n'];
const { DRIVER_PREPARED: FOLDER, DRIVER_PREPARE: PREPARE } = process.env;
// These versions' bundles were looked through for names that would be missing (docs/design/runner.md, Memory).
const VERSIONS = ['1.65.1'];

/** Whether these bundles can be cut: of a version that is known, with all that is needed to start at the driver, once. */
function known(version, core) {
  return VERSIONS.includes(version) && NEEDED.every((text) => core.split(text).length === 2);
}

/** A bundle without the sections that the driver never uses; the core bundle then starts the driver by itself. */
function slim(name, source) {
  const [head, ...parts] = source.split(SECTION);
  const kept = [head];
  for (let i = 0; i < parts.length; i += 2) {
    if (!UNUSED[name].test(parts[i])) kept.push(`// ${parts[i]}\n`, parts[i + 1]);
  }
  return [[START_ALL, START_DRIVER], FOCUS, KEPT, DEVICES].reduce((text, [old, other]) => text.replace(old, other), kept.join(''));
}

/** The same program in ASCII: Node keeps every character of a source in two bytes as soon as one needs them. */
function ascii(source) {
  // An escape means the same in strings, templates and regular expressions, and nothing in comments.
  const escaped = source.replace(/[^\x00-\x7f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return Buffer.from(escaped, 'latin1').latin1Slice();
}

/** The place of a bundle that was cut before, of this version; beside it, what V8 compiled of it. */
function place(version, name) {
  return path.join(FOLDER, `${version}-${name}`);
}

function isPrepared(version) {
  if (!FOLDER || PREPARE || !VERSIONS.includes(version)) return false;
  return Object.keys(UNUSED).every((name) => fs.existsSync(`${place(version, name)}.compiled`));
}

/** A module that is loaded when something of it is asked for. Its own it has nothing, so esbuild's copy of it is as lazy. */
function later(name) {
  return Object.create(new Proxy({}, { get: (_, key) => (key === '__esModule' ? undefined : require(name)[key]) }));
}

const cut = {}; // of a build: the bundles as they run here, source and script
/** Run a bundle of the driver, cut. */
function run(module, filename, version) {
  const [name, ready] = [path.basename(filename), isPrepared(version)];
  const needed = Module.createRequire(filename);
  module.require = (name) => (LATER.includes(name) ? later(name) : needed(name));
  const source = ready ? fs.readFileSync(place(version, name), 'latin1') : ascii(slim(name, fs.readFileSync(filename, 'utf8')));
  if (!ready && !PREPARE) return module._compile(source, filename);
  const script = new vm.Script(Module.wrap(source), {
    filename,
    cachedData: ready ? fs.readFileSync(`${place(version, name)}.compiled`) : undefined,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  if (script.cachedDataRejected) console.error(`${name} was compiled by another V8, and is compiled anew at each start`);
  if (PREPARE) cut[name] = { source, script };
  const { exports } = module;
  script.runInThisContext().call(exports, exports, Object.assign(module.require, needed), module, filename, path.dirname(filename));
}

const load = Module._extensions['.js'];
let slimming = null; // the driver's version, if it is the driver that starts and its bundles can be cut
Module._extensions['.js'] = (module, filename) => {
  const [folder, name] = [path.dirname(filename), path.basename(filename)];
  if (name === 'cli.js' && process.argv[2] === 'run-driver' && filename === fs.realpathSync(process.argv[1])) {
    const { version } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
    if (isPrepared(version) || known(version, fs.readFileSync(path.join(folder, 'lib', 'coreBundle.js'), 'utf8'))) {
      slimming = version;
      return module._compile("require('./lib/bootstrap'); require('./lib/coreBundle');", filename);
    }
  }
  if (!(name in UNUSED)) return load(module, filename);
  if (slimming) return run(module, filename, slimming);
  module._compile(ascii(fs.readFileSync(filename, 'utf8')), filename);
};

if (PREPARE) {
  process.on('exit', () => {
    for (const [name, { source, script }] of Object.entries(cut)) {
      fs.writeFileSync(place(slimming, name), source, 'latin1');
      fs.writeFileSync(`${place(slimming, name)}.compiled`, script.createCachedData()); // with all that was used by now
    }
  });
}

// A trace of calls needs the places of all lines of the bundles, which take 1 MB from the first trace on. An error keeps its
// message, and for one that nobody catches Node prints the line.
Error.stackTraceLimit = 0;

// After start-up most compiled code is never used again; a few full collections let it go, and move together what is left.
// Their flags are set for the moment of a collection only: V8 uses code that was compiled before, Node's own modules among
// it, under no other flags than it was compiled with.
const FLAGS = ['expose-gc', 'compact-on-every-full-gc'];
function collect() {
  for (const flag of FLAGS) v8.setFlagsFromString(`--${flag}`);
  vm.runInNewContext('gc')({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  for (const flag of FLAGS) v8.setFlagsFromString(`--no-${flag}`);
}
for (const seconds of PREPARE ? [] : [10, 30]) setTimeout(collect, seconds * 1000).unref();

module.exports = { known, slim };
