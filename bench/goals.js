/**
 * One line of the result: our value divided by that of a peer, or alone with an absolute goal.
 *
 * @typedef {object} Comparison
 * @property {string} measure
 * @property {'room1000' | 'smallRooms' | 'siege' | 'idle'} scene
 * @property {string} reading name of a value that the scene measures
 * @property {string} ours name of a target
 * @property {string} [peer] name of a target; without one, the goal applies to our value
 * @property {{ atMost: number } | { atLeast: number } | null} goal null for lines without a goal
 * @property {string} [decider] measure that decides where the load generator was the limit
 */

/** Units of the values that the scenes measure. */
export const UNITS = {
  'room1000.cpu': 'µs CPU/delivery',
  'room1000.rate': 'messages/s',
  'smallRooms.cpu': 'µs CPU/message',
  'smallRooms.databaseCpu': 'µs CPU/message',
  'smallRooms.rate': 'messages/s',
  'smallRooms.p99': 'ms',
  'siege.p99': 'ms',
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
    measure: 'small-rooms-cpu',
    scene: 'smallRooms',
    reading: 'cpu',
    ours: 'parlance-pg',
    peer: 'parlance-ws',
    goal: { atMost: 1.3 },
  },
  {
    measure: 'small-rooms-cpu',
    scene: 'smallRooms',
    reading: 'cpu',
    ours: 'parlance-pg-2ms',
    peer: 'parlance-ws',
    goal: null,
  },
  {
    measure: 'small-rooms-rate',
    scene: 'smallRooms',
    reading: 'rate',
    ours: 'parlance-pg',
    peer: 'parlance-ws',
    goal: { atLeast: 0.8 },
    decider: 'small-rooms-cpu',
  },
  {
    measure: 'small-rooms-rate',
    scene: 'smallRooms',
    reading: 'rate',
    ours: 'parlance-pg-2ms',
    peer: 'parlance-pg',
    goal: { atLeast: 0.6 },
    decider: 'small-rooms-cpu',
  },
  {
    measure: 'postgres-cpu',
    scene: 'smallRooms',
    reading: 'databaseCpu',
    ours: 'parlance-pg',
    goal: null,
  },
  {
    measure: 'postgres-cpu',
    scene: 'smallRooms',
    reading: 'databaseCpu',
    ours: 'parlance-pg-2ms',
    peer: 'parlance-pg',
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
    measure: 'siege-p99',
    scene: 'siege',
    reading: 'p99',
    ours: 'parlance-ws',
    goal: { atMost: 100 },
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
