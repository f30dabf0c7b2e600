/**
 * One line of the result: our reading over that of a peer.
 *
 * @typedef {object} Comparison
 * @property {string} measure
 * @property {'room1000' | 'smallRooms' | 'idle'} scene
 * @property {string} reading of the scene
 * @property {string} ours a target
 * @property {string} peer a target
 * @property {{ atMost: number } | { atLeast: number } | null} goal null is for information
 */

/** What is read off in a scene, and in which unit. */
export const UNITS = {
  'room1000.cpu': 'µs CPU/delivery',
  'room1000.rate': 'messages/s',
  'smallRooms.cpu': 'µs CPU/message',
  'smallRooms.rate': 'messages/s',
  'smallRooms.p99': 'ms',
  'idle.memory': 'KiB/connection',
};

/** @type {Comparison[]} */
export const COMPARISONS = [
  {
    measure: 'room1000-cpu',
    scene: 'room1000',
    reading: 'cpu',
    ours: 'parlance-ws',
    peer: 'bare-ws',
    goal: { atMost: 1 },
  },
  {
    measure: 'room1000-rate-ws',
    scene: 'room1000',
    reading: 'rate',
    ours: 'parlance-ws',
    peer: 'bare-sio',
    goal: { atLeast: 3 },
  },
  {
    measure: 'room1000-rate-sio',
    scene: 'room1000',
    reading: 'rate',
    ours: 'parlance-sio',
    peer: 'bare-sio',
    goal: { atLeast: 2 },
  },
  {
    measure: 'legacy-cpu',
    scene: 'room1000',
    reading: 'cpu',
    ours: 'parlance-legacy',
    peer: 'parlance-sio',
    goal: { atMost: 1.3 },
  },
  {
    measure: 'small-rooms-cpu',
    scene: 'smallRooms',
    reading: 'cpu',
    ours: 'parlance-sio',
    peer: 'bare-sio',
    goal: { atMost: 1 },
  },
  {
    measure: 'small-rooms-cpu',
    scene: 'smallRooms',
    reading: 'cpu',
    ours: 'parlance-ws',
    peer: 'bare-sio',
    goal: null,
  },
  {
    measure: 'small-rooms-rate',
    scene: 'smallRooms',
    reading: 'rate',
    ours: 'parlance-sio',
    peer: 'nest-typeorm',
    goal: { atLeast: 2 },
  },
  {
    measure: 'small-rooms-rate',
    scene: 'smallRooms',
    reading: 'rate',
    ours: 'parlance-ws',
    peer: 'nest-typeorm',
    goal: null,
  },
  {
    measure: 'bots-cpu',
    scene: 'smallRooms',
    reading: 'cpu',
    ours: 'parlance-bots',
    peer: 'parlance-ws',
    goal: { atMost: 1.1 },
  },
  {
    measure: 'bots-p99',
    scene: 'smallRooms',
    reading: 'p99',
    ours: 'parlance-hang',
    peer: 'parlance-ws',
    goal: { atMost: 1.1 },
  },
  {
    measure: 'idle-memory',
    scene: 'idle',
    reading: 'memory',
    ours: 'parlance-ws',
    peer: 'bare-ws',
    goal: { atMost: 1.5 },
  },
  {
    measure: 'idle-memory',
    scene: 'idle',
    reading: 'memory',
    ours: 'parlance-sio',
    peer: 'bare-sio',
    goal: { atMost: 1.2 },
  },
];
