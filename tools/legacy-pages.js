// Copies the Socket.IO clients that the pages of examples/legacy load from their packages.
import { copyFileSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PACKAGES = new URL('../node_modules/', import.meta.url);
const VENDOR = new URL('../examples/legacy/vendor/', import.meta.url);
const CLIENTS = {
  'socket.io-1.3.6.js': 'socket.io-client-1.3.6/socket.io.js',
  'socket.io-2.2.0.js': 'socket.io-client-2.2.0/dist/socket.io.js',
  'socket.io-3.1.1.js': 'socket.io-client-3.1.1/dist/socket.io.js',
  'socket.io-4.0.1.js': 'socket.io-client-4.0.1/dist/socket.io.js',
  'socket.io-4.js': 'socket.io-client/dist/socket.io.js',
};

mkdirSync(VENDOR, { recursive: true });
for (const [name, source] of Object.entries(CLIENTS)) {
  copyFileSync(fileURLToPath(new URL(source, PACKAGES)), fileURLToPath(new URL(name, VENDOR)));
}
