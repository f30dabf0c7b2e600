import { describeTransport } from './describe-transport.js';
import { remoteWebSocket } from './transports.js';

// Jest runs only this file when TARGET is set, and skips it otherwise.
describeTransport(remoteWebSocket(process.env['TARGET'] ?? ''));
