export { ParlanceModule } from './app.module.js';
export * from './chat/transport.js';
export { Command, CurrentCall } from './chat/command.decorator.js';
export { Call } from './chat/call.js';
export { Connection } from './chat/connection.js';
export { ConfigError, readConfig, type Config } from './config/config.js';
export { InMemoryTransport } from './transports/in-memory/in-memory.transport.js';
export { ParlanceAdapter } from './transports/parlance.adapter.js';
export * from './protocol/index.js';
