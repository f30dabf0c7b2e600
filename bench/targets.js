import { fileURLToPath } from 'node:url';

/**
 * A server that can be measured, and the kind of clients to measure it with.
 *
 * @typedef {object} Target
 * @property {string} name
 * @property {string} title
 * @property {string} script
 * @property {'webSocket' | 'socketIo' | 'legacyRooms'} dialect
 * @property {string[]} [args]
 * @property {{ roundTripMs: number }} [postgres] the way to PostgreSQL; without it, SQLite
 */

/** @param {string} path relative to this folder */
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
    title: 'Parlance, dialect clients',
    script: PARLANCE_SCRIPT,
    dialect: 'legacyRooms',
  },
  {
    name: 'parlance-pg',
    title: 'Parlance on PostgreSQL',
    script: PARLANCE_SCRIPT,
    dialect: 'webSocket',
    postgres: { roundTripMs: 0 },
  },
  {
    name: 'parlance-pg-2ms',
    title: 'Parlance on PostgreSQL, 2 ms away',
    script: PARLANCE_SCRIPT,
    dialect: 'webSocket',
    postgres: { roundTripMs: 2 },
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
