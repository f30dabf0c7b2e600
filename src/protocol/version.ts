/** Number of the protocol that this build speaks (P-1.4). */
export const PROTOCOL_VERSION = 1;

/** Every protocol number that this build accepts in `hello` (P-1.4). */
export const SUPPORTED_VERSIONS: readonly number[] = [PROTOCOL_VERSION];

/** Additions to the version, as `features` of the welcome names them (P-1.4). */
export const FEATURES: readonly string[] = ['direct'];

/** WebSocket subprotocol of this version; offering it is optional (P-10.2). */
export const SUBPROTOCOL = `parlance.v${String(PROTOCOL_VERSION)}`;

/** Prefix of every subprotocol name of ours, of whatever version (P-10.2). */
export const SUBPROTOCOL_PREFIX = 'parlance.v';
