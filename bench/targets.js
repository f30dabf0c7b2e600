import { fileURLToPath } from 'node:url';

/**
 * A server that can be measured, with the kind of clients it is measured with.
 *
 * @typedef {object} Target
 * @property {string} name
 * @property {string} title
 * @property {string} script
 * @property {'webSocket' | 'socketIo' | 'legacyRooms'} dialect
 * @property {string[]} [args]
 */

/** @param {string} path from this folder */
const locate = (path) => fileURLToPath(new URL(path, import.meta.url));

export const PARLANCE_SCRIPT = locate('../dist/main.js');

/** @type {Target[]} */
const all = [
  {
    name: 'parlance-ws',
    title: 'Parlance, raw WebSocket',
    script: PARLANCE_SCRIPT,
    dialect: 'webSocket',
  },
  {
    name: 'parlance-sio',
    title: 'Parlance, Socket.IO',
    script: PARLANCE_SCRIPT,
    dialect: 'socketIo',
  },
  {
    name: 'parlance-legacy',
    title: 'Parlance, clients of an older program',
    script: PARLANCE_SCRIPT,
    dialect: 'legacyRooms',
  },
  {
    name: 'parlance-bots',
    title: 'Parlance with 5 bots',
    script: locate('peers/parlance-bots.js'),
    dialect: 'webSocket',
  },
  {
    name: 'parlance-hang',
    title: 'Parlance with a bot that hangs',
    script: locate('peers/parlance-bots.js'),
    args: ['--hang'],
    dialect: 'webSocket',
  },
  {
    name: 'bare-ws',
    title: 'bare ws',
    script: locate('peers/bare-ws.js'),
    dialect: 'webSocket',
  },
  {
    name: 'bare-sio',
    title: 'bare Socket.IO',
    script: locate('peers/bare-socket-io.js'),
    dialect: 'socketIo',
  },
  {
    name: 'nest-typeorm',
    title: 'Nest + TypeORM',
    script: locate('peers/nest-typeorm.js'),
    dialect: 'socketIo',
  },
];

export const TARGETS = new Map(all.map((target) => [target.name, target]));
