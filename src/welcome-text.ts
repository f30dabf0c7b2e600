import type { Config } from './config/config.js';

/** Tells who started the server what to do next. */
export function welcomeText(port: number, config: Config): string {
  const host = `localhost:${String(port)}`;
  const room = config.defaultRoom;
  const join = { id: 1, cmd: 'room.join', data: { room } };
  const send = { id: 2, cmd: 'message.send', data: { room, text: 'Hello from a WebSocket' } };
  const storage = config.databaseUrl === undefined ? `SQLite in ${config.dataDir}/` : 'PostgreSQL';
  return `
Parlance is running, storing in ${storage}.

  Chat      http://${host}/   (open it in two tabs)
  WebSocket npx wscat -s parlance.v1 -c "ws://${host}/ws?name=ann"
            and paste these two lines:
${JSON.stringify(join)}
${JSON.stringify(send)}
  Socket.IO io("http://${host}", { auth: { name: "ann" } })
  Protocol  http://${host}/docs/protocol.md
  Health    http://${host}/healthz   http://${host}/readyz

`;
}
