import { createHash } from 'node:crypto';

import type { Config } from './config.js';

/** Settings that must be the same on all servers that share a database, by name. */
export type ClusterSettings = Readonly<Record<string, string>>;

const DIGEST_LENGTH = 16;

/** Returns the settings to compare with other servers; secrets are replaced by their hashes. */
export function clusterSettings(config: Config): ClusterSettings {
  const limits = Object.entries(config.limits).map(([name, value]) => [`limit ${name}`, value]);
  const others = {
    PARLANCE_TOKEN_KEYS: config.tokenKeys?.map(hashOf).join(),
    PARLANCE_TOKEN_SECONDS: config.tokenSeconds,
    PARLANCE_DEFAULT_ROOM: config.defaultRoom,
    PARLANCE_ROOM_BOTS: config.roomBots.join(),
    PARLANCE_GUEST_AWAY_SECONDS: config.guestAwaySeconds,
    PARLANCE_LEGACY_AWAY_SECONDS: config.dialectAwaySeconds,
  };
  const all = [...Object.entries(others), ...(limits as [string, number][])];
  return Object.fromEntries(all.map(([name, value]) => [name, String(value)]));
}

/** Returns the names of the settings that differ. */
export function differences(one: ClusterSettings, other: ClusterSettings): string[] {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].filter((name) => one[name] !== other[name]);
}

/** Returns a short text that differs if any of the settings differs. */
export function digestOf(settings: ClusterSettings): string {
  return hashOf(JSON.stringify(Object.entries(settings).sort())).slice(0, DIGEST_LENGTH);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
