import { describeTransport } from './describe-transport.js';
import { managedTransport, OPEN } from './transports.js';

describeTransport(managedTransport('in-memory', OPEN['in-memory']));
