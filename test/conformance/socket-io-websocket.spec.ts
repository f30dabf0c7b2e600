import { describeTransport } from './describe-transport.js';
import { managedTransport, OPEN } from './transports.js';

describeTransport(managedTransport('socket.io websocket', OPEN['socket.io websocket']), 'binding');
