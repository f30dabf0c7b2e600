/**
 * All limits of the server, with their defaults (P-9.1).
 *
 * A setting can change each of them.
 */
export const DEFAULT_LIMITS = {
  /** Bytes of one frame, and of one polling request body (P-9.2). */
  frameBytes: 65_536,
  /** Code points of the text of one message (P-9.3). */
  textChars: 4_000,
  /** Levels of nesting of the JSON of a command (P-9.4). */
  jsonDepth: 16,
  /** Fragments of one WebSocket message (P-9.2). */
  fragments: 64,
  /** Packets in one polling request body (P-9.5). */
  pollingPackets: 64,
  /** Rooms that one connection may be attached to (P-9.6). */
  roomsPerConnection: 100,
  /** Rooms that one user may be a member of (P-9.6). */
  roomsPerUser: 500,
  /** Direct rooms that one user may be a member of (P-9.6). */
  directsPerUser: 1_000,
  /** Users that one user may block (P-8.3). */
  blocksPerUser: 1_000,
  /** Commands of one connection that may await their replies (P-9.7). */
  inFlight: 32,
  /** Default number of messages in a page of history (P-9.8). */
  historyPage: 50,
  /** Maximum number of messages in a page of history (P-9.8). */
  historyPageMax: 100,
  /** Bytes of one page of replay or history (P-9.8). */
  pageBytes: 262_144,
  /** Events of one room that `hello.resume` replays (P-5.12). */
  resumeEvents: 100,
  /** Members listed in a cut; `room.members` lists the others (P-5.5). */
  membersPerCut: 100,
  /** Different emoji on one message (P-9.9). */
  emojiPerMessage: 20,
  /** Reactions of all users on one message (P-9.9). */
  reactionsPerMessage: 1_000,
  /** Messages a second that one user may send, over all connections (P-9.10). */
  messagesPerSecond: 5,
  /** Messages that one user may send at once (P-9.10). */
  messagesBurst: 20,
  /** Bytes a second that one user may read by commands (P-9.10). */
  readBytesPerSecond: 1_048_576,
  /** Bytes that one user may read by commands at once (P-9.10). */
  readBytesBurst: 8_388_608,
  /** Commands a second that one connection may send (P-9.10). */
  commandsPerSecond: 20,
  /** Commands that one connection may send at once (P-9.10). */
  commandsBurst: 60,
  /** Rates of all users of one address together, in multiples of those of one user (P-9.10). */
  busyUsersPerAddress: 10,
  /** Milliseconds between two announcements of one user typing in one room (P-9.10). */
  typingThrottleMs: 3_000,
  /** Milliseconds after which an announcement of typing expires (P-7.5). */
  typingExpireMs: 6_000,
  /** Milliseconds between two announcements of who is typing in one room (P-7.4). */
  typingIntervalMs: 500,
  /** Milliseconds between two announcements of presence in one room (P-7.3). */
  presenceIntervalMs: 1_000,
  /** Rooms that one user may create in an hour (P-9.10). */
  roomsPerHour: 10,
  /** Rooms that one user may join in an hour (P-9.10). */
  joinsPerHour: 500,
  /** Direct rooms that one user may create in an hour (P-9.10). */
  directsPerHour: 20,
  /** Times that one user may change their name in an hour (P-9.10). */
  renamesPerHour: 10,
  /** New guests from one address in an hour; loopback addresses have no limit (P-9.10). */
  guestsPerHour: 100,
  /** Open connections from one address; loopback addresses have no limit (P-9.11). */
  connectionsPerAddress: 32,
  /** Connections that only listen to the default room and have no session (P-10.7). */
  observers: 1_000,
  /** Open sessions of one user (P-9.11). */
  connectionsPerUser: 10,
  /** Milliseconds between the opening of a connection and a successful hello (P-2.3). */
  helloTimeoutMs: 10_000,
  /** Milliseconds of silence after which the server pings a raw WebSocket (P-2.12). */
  heartbeatIntervalMs: 25_000,
  /** Milliseconds that a raw WebSocket has to answer a ping (P-2.12). */
  heartbeatTimeoutMs: 10_000,
  /** Unsent bytes above which ephemeral events are dropped and commands wait (P-9.12). */
  shedBytes: 524_288,
  /** Unsent bytes above which a connection is closed with 4202 (P-9.12). */
  backlogBytes: 1_048_576,
  /** Milliseconds without progress after which a backlog closes a connection (P-9.12). */
  stallMs: 10_000,
  /** Consecutive frames that are not commands, after which a connection is closed (P-3.8). */
  badFrames: 10,
  /** Keys that a bot may store for one room, the alarms of one room, or one user (P-9.13). */
  botKeys: 1_000,
  /** Bytes of a value that a bot stores, as JSON (P-9.13). */
  botValueBytes: 65_536,
  /** Bytes of one file (P-9.14). */
  fileBytes: 10_485_760,
  /** Bytes of an image inside a message (P-9.14). */
  inlineImageBytes: 40_960,
  /** Pixels of all frames of an image (P-9.14). */
  imagePixels: 32_000_000,
  /** Pixels of the longer side of an image (P-9.14). */
  imageSide: 16_384,
  /** Bytes of a decoded image: pixels × channels × bytes per sample (P-9.14). */
  imageDecodedBytes: 256_000_000,
  /** Bytes of memory that decoding an image may use (P-9.14). */
  imageMemoryBytes: 939_524_096,
  /** Milliseconds that decoding an image may take (P-9.14). */
  imageMs: 20_000,
  /** Files of one message (P-9.14). */
  filesPerMessage: 10,
  /** Uploads of one user that may run at once (P-9.14). */
  uploadsAtOnce: 4,
  /** Milliseconds within which an upload must make progress (P-14.1). */
  uploadWindowMs: 15_000,
  /** Bytes that an upload must deliver in that time (P-14.1). */
  uploadWindowBytes: 16_384,
  /** Files that one user may upload in an hour (P-9.10). */
  uploadsPerHour: 200,
  /** Bytes that one user may upload in an hour (P-9.10). */
  uploadBytesPerHour: 209_715_200,
  /** Bytes of all files of one user that are not attached to a message (P-9.14). */
  unsentBytes: 52_428_800,
  /** Milliseconds after which a file that is not attached is removed (P-14.8). */
  unsentMs: 3_600_000,
} as const;

/** Name of a limit. */
export type LimitName = keyof typeof DEFAULT_LIMITS;

/** The limits in force (P-9.1). */
export type Limits = Readonly<Record<LimitName, number>>;

/** Names of the limits in the welcome: those that clients need (P-2.4). */
export const ANNOUNCED_LIMITS = [
  'frameBytes',
  'textChars',
  'roomsPerConnection',
  'inFlight',
  'historyPageMax',
  'messagesPerSecond',
  'messagesBurst',
  'commandsPerSecond',
  'commandsBurst',
  'typingThrottleMs',
  'fileBytes',
  'filesPerMessage',
] as const satisfies readonly LimitName[];

/** The limits of a welcome (P-2.4). */
export type AnnouncedLimits = Readonly<Record<(typeof ANNOUNCED_LIMITS)[number], number>>;

/** Returns the limits to put into the welcome (P-2.4). */
export function announcedOf(limits: Limits): AnnouncedLimits {
  const entries = ANNOUNCED_LIMITS.map((name) => [name, limits[name]]);
  return Object.fromEntries(entries) as AnnouncedLimits;
}

/** Maximum position of a log; positions from clients are clamped to it (P-5.8). */
export const MAX_SEQ = 2_147_483_647;
