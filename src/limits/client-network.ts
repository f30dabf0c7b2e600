import { isIP, isIPv6 } from 'node:net';

import ipaddr from 'ipaddr.js';

const GROUPS_OF_NETWORK = 4;
const BYTES_OF_IPV4 = 4;

/**
 * Returns the network that counts as one address: an IPv4 address, or a /64 of IPv6 (P-9.11).
 *
 * A client with one IPv6 address usually has all 2^64 addresses of that network. Text that is not
 * an address is returned unchanged.
 */
export function networkOf(address: string): string {
  const parsed = parseAddress(address);
  if (parsed === null) return address;
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  const groups = parsed.parts.slice(0, GROUPS_OF_NETWORK).map((group) => group.toString(16));
  return `${groups.join(':')}::/64`;
}

/** Returns whether an address belongs to this machine; such addresses have no limit. */
export function isLoopback(address: string): boolean {
  return parseAddress(address)?.range() === 'loopback';
}

/**
 * Parses an address without its zone; returns null for anything else.
 *
 * An IPv4 address within IPv6 is returned as IPv4 (RFC 4291, RFC 6052). `isIP` goes first because
 * ipaddr.js also accepts forms that only inet_aton knows, such as `1` or `0x7f.1`.
 */
export function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  if (isIP(text) === 0) return null;
  const [unscoped = ''] = text.split('%');
  const parsed = ipaddr.process(isIPv6(unscoped) ? inGroups(unscoped) : unscoped);
  if (parsed.range() !== 'rfc6052') return parsed;
  return new ipaddr.IPv4(parsed.toByteArray().slice(-BYTES_OF_IPV4));
}

/** Writes an IPv6 address in groups alone: ipaddr.js throws at `::203.0.113.18`, which is valid. */
function inGroups(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}
