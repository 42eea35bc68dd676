// Loaded by Node before Playwright's driver (`page.driver` says how and why). Changes no behaviour, only memory:
// the driver keeps 7 MB of its own source, and Node keeps every character in two bytes as soon as one is not ASCII.
'use strict';
const fs = require('fs');
const Module = require('module');
const v8 = require('v8');
const vm = require('vm');

const BIG = 1 << 20;
const compile = Module._extensions['.js'];
Module._extensions['.js'] = (module, filename) => {
  if (fs.statSync(filename).size < BIG) return compile(module, filename);
  // An escape means the same in strings, templates and regular expressions, and nothing in comments.
  const source = fs.readFileSync(filename, 'utf8').replace(/[^\x00-\x7f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  module._compile(Buffer.from(source, 'latin1').latin1Slice(), filename);
};

// After start-up most compiled code is never used again; a few full collections let it go.
v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc');
for (const seconds of [3, 4, 5, 6, 7, 15, 30]) {
  setTimeout(() => collect({ type: 'major', execution: 'sync', flavor: 'last-resort' }), seconds * 1000).unref();
}
