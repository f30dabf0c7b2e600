import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** What the IPv6 addresses that stand for IPv4 ones begin with (RFC 4291, RFC 6052). */
const IPV4_WITHIN = ['0:0:0:0:0:ffff', '64:ff9b:0:0:0:0'];
const GROUPS = 8;
const GROUPS_OF_NETWORK = 4;

/**
 * Gives what counts as one address (P-9.11): an IPv4 address, or a network of IPv6.
 *
 * Whoever has one IPv6 address has the other 2^64 of its network too.
 */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const groups = groupsOf(address);
  return ipv4Within(groups) ?? `${groups.slice(0, GROUPS_OF_NETWORK).join(':')}::/64`;
}

/** Tells whether an address is of this machine itself; such addresses have no limit. */
export function isLoopback(address: string): boolean {
  if (isIP(address) !== 6) return isIP(address) === 4 && loopback.check(address, 'ipv4');
  const groups = groupsOf(address);
  const ipv4 = ipv4Within(groups);
  return ipv4 === undefined
    ? loopback.check(groups.join(':'), 'ipv6')
    : loopback.check(ipv4, 'ipv4');
}

/** Gives the eight groups of an IPv6 address, as a URL writes them: short, in small letters. */
function groupsOf(address: string): string[] {
  const [unscoped = ''] = address.split('%');
  const { hostname } = new URL(`http://[${unscoped}]`);
  const [head = [], tail = []] = hostname.slice(1, -1).split('::').map(partsOf);
  const zeros = Array<string>(GROUPS - head.length - tail.length).fill('0');
  return [...head, ...zeros, ...tail];
}

function partsOf(text: string): string[] {
  return text === '' ? [] : text.split(':');
}

/** Gives the IPv4 address that an IPv6 address stands for, if it does. */
function ipv4Within(groups: readonly string[]): string | undefined {
  if (!IPV4_WITHIN.includes(groups.slice(0, 6).join(':'))) return undefined;
  const pairs = groups.slice(6).map((group) => Number.parseInt(group, 16));
  return pairs.flatMap((pair) => [pair >> 8, pair & 0xff]).join('.');
}
