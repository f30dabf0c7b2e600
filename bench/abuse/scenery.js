import { Client } from './client.js';

const LONG_TEXT = 'é'.repeat(4_000);

/**
 * Creates a room with a hundred messages of 8,000 bytes.
 *
 * @param {number} port
 * @param {string} room
 */
export async function fillRoom(port, room) {
  const people = await crowd(port, 5);
  for (const person of people) await person.ok('room.join', { room, create: true });
  await Promise.all(
    people.map(async (person) => {
      for (let sent = 0; sent < 20; sent++) {
        await person.ok('message.send', { room, text: LONG_TEXT });
      }
    }),
  );
  for (const person of people) person.close();
}

/**
 * Connects clients that join a room and stay, to receive its events.
 *
 * @param {number} port
 * @param {string} room
 * @param {number} count
 */
export async function populate(port, room, count) {
  const people = await crowd(port, count);
  for (const person of people) await person.ok('room.join', { room, create: true });
}

/**
 * @param {number} port
 * @param {number} count
 */
function crowd(port, count) {
  return Promise.all(Array.from({ length: count }, () => Client.greet({ port })));
}
