// The VS Code server loads two native modules as it starts. Neither is needed here, so plain JavaScript takes their
// place, and the server needs no compiler and no install script.
import { writeFileSync } from 'node:fs';
import path from 'node:path';

// native-watchdog ends the extension host when its parent dies; the socket between them does that too.
const WATCHDOG = `exports.start = () => {};
exports.exit = (code) => process.exit(code || 0);
`;

// spdlog writes log files; this one appends a line at a time.
const SPDLOG = `const fs = require('fs');
const path = require('path');
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'critical'];
class Logger {
  constructor(file) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    this.file = fs.openSync(file, 'a');
    this.level = 2;
  }
  getLevel() { return this.level; }
  setLevel(level) { this.level = level; }
  setPattern() {}
  clearFormatters() {}
  flush() {}
  drop() {
    if (this.file !== undefined) fs.closeSync(this.file);
    this.file = undefined;
  }
}
LEVELS.forEach((name, level) => {
  Logger.prototype[name] = function (text) {
    if (level >= this.level && this.file !== undefined) fs.writeSync(this.file, new Date().toISOString() + ' [' + name + '] ' + text + '\\n');
  };
});
exports.version = 0;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.Logger = Logger;
exports.createRotatingLogger = exports.createAsyncRotatingLogger = async (name, file) => new Logger(file);
`;

export function replaceNatives(vscode) {
  const modules = path.join(vscode, 'node_modules/@vscode');
  writeFileSync(path.join(modules, 'native-watchdog/index.js'), WATCHDOG);
  writeFileSync(path.join(modules, 'spdlog/index.js'), SPDLOG);
}
