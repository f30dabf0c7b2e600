import { Connection } from './connection.js';
import { DIALECTS } from './dialects.js';
import { createText, Tally } from './tally.js';

const BATCH = 50;
const SAMPLED_CONNECTIONS = 20;

/**
 * @typedef {object} CrowdPlan
 * @property {number} port
 * @property {string} dialect
 * @property {number} rooms
 * @property {number} membersPerRoom
 * @property {number} sendersPerRoom
 */

/** All clients of a measure: the members of its rooms, some of which send. */
export class Crowd {
  tally = new Tally();
  /** @type {Connection[]} senders with no unanswered message, idle longest first */
  idleSenders = [];
  /** @type {() => void} called when a sender becomes idle */
  onIdle = () => {};
  #nextCid = 1;

  /** @param {CrowdPlan} plan */
  constructor(plan) {
    this.plan = plan;
    this.connections = this.#makeConnections();
  }

  async open() {
    for (let at = 0; at < this.connections.length; at += BATCH) {
      const batch = this.connections.slice(at, at + BATCH);
      await Promise.all(batch.map((one, i) => one.open(this.plan.port, `m${at + i}`)));
    }
    for (const connection of this.connections) {
      if (connection.sends) this.idleSenders.push(connection);
    }
  }

  /** Sends one message from the sender that has been idle longest; false if none is idle. */
  send() {
    const sender = this.idleSenders.shift();
    if (sender === undefined) return false;
    this.tally.sent++;
    const cid = `c${this.#nextCid++}`;
    sender.command('message.send', { room: sender.room, text: createText(), cid });
    return true;
  }

  /** Whether every message was answered and delivered to every member. */
  get isSettled() {
    const { sent, acked, refused, delivered } = this.tally;
    return acked + refused >= sent && delivered >= acked * this.plan.membersPerRoom;
  }

  close() {
    for (const connection of this.connections) connection.close();
  }

  #makeConnections() {
    const { dialect, rooms, membersPerRoom, sendersPerRoom } = this.plan;
    const total = rooms * membersPerRoom;
    const sampleEvery = Math.max(1, Math.floor(total / SAMPLED_CONNECTIONS));
    const sendEvery = sendersPerRoom > 0 ? Math.floor(membersPerRoom / sendersPerRoom) : Infinity;
    return Array.from({ length: total }, (_, i) => {
      const position = Math.floor(i / rooms);
      const connection = new Connection(
        DIALECTS[dialect],
        this.tally,
        `room-${i % rooms}`,
        (sender) => this.#onReply(sender),
      );
      connection.sends = position % sendEvery === 0;
      connection.samples = i % sampleEvery === sampleEvery - 1;
      return connection;
    });
  }

  /** @param {Connection} sender */
  #onReply(sender) {
    this.idleSenders.push(sender);
    this.onIdle();
  }
}
