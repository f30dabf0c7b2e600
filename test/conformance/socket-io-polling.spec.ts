import { describeTransport } from './describe-transport.js';
import { managedTransport, OPEN } from './transports.js';

describeTransport(managedTransport('socket.io polling', OPEN['socket.io polling']), 'binding');
