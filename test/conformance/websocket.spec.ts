import { describeTransport } from './describe-transport.js';
import { managedTransport, OPEN } from './transports.js';

describeTransport(managedTransport('websocket', OPEN.websocket));
