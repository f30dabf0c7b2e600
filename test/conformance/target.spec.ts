import { describeTransport } from './describe-transport.js';
import { remoteWebSocket } from './transports.js';

// Jest takes this file alone when TARGET is set, and never otherwise.
describeTransport(remoteWebSocket(process.env['TARGET'] ?? ''));
