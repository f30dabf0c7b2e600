/** Protocol version of this build (P-1.4). */
export const PROTOCOL_VERSION = 1;

/** Protocol versions that this build accepts in `hello` (P-1.4). */
export const SUPPORTED_VERSIONS: readonly number[] = [PROTOCOL_VERSION];

/** Additions to the version, as listed in `features` of the welcome (P-1.4). */
export const FEATURES: readonly string[] = ['direct'];

/** WebSocket subprotocol of this version; offering it is optional (P-10.2). */
export const SUBPROTOCOL = `parlance.v${String(PROTOCOL_VERSION)}`;

/** Prefix of the subprotocol names of all versions (P-10.2). */
export const SUBPROTOCOL_PREFIX = 'parlance.v';
