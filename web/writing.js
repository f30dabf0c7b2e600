import { recall, remember, watchMemory } from './browser-memory.js';
import { Composer } from './composer.js';
import { Outbox } from './outbox.js';
import { isCommand, requireKnownCommand, UNKNOWN_COMMAND } from './unknown-command.js';

/** The writing side of a room: the draft, commands for bots, and messages that wait to be sent. */
export class Writing {
  /** Id of the room; until the first cut, its name as a person typed it. */
  #roomName;
  #room;
  #actions;
  #outbox = new Outbox(
    (item) => this.#send(item),
    (items) => this.#showUnsent(items),
  );
  #composer;

  /** `actions` sends commands, and shows unsent messages and notices. */
  constructor(roomName, room, actions) {
    this.#roomName = roomName;
    this.#room = room;
    this.#actions = actions;
    this.#composer = new Composer({
      send: (text, how) => this.#write(text, how),
      draft: (text) => remember(this.#draftKey, text === '' ? null : text),
      typing: (active) => {
        const typing = { room: this.#roomName, active };
        // A typing notice that is lost with the connection does not matter.
        actions.call('typing.set', typing).catch(() => undefined);
      },
    });
    this.#composer.restore(recall(this.#draftKey));
    this.#outbox.show();
    watchMemory((key) => this.#outbox.noteChange(key));
  }

  /** Applies the limits of the server. */
  setLimits(limits) {
    this.#composer.setLimits(limits);
  }

  /** Sends the waiting messages: `user` is in `room`, which was opened by the name `asked`. */
  enter(user, asked, room) {
    this.#roomName = room;
    if (room !== asked) this.#moveFrom(asked);
    this.#composer.setOpen(true);
    this.#outbox.resume(user, room);
  }

  /** Sends nothing to this room, which cannot be opened. */
  refuse(user, why) {
    this.close();
    this.#outbox.refuse(this.#roomName, why);
    this.#outbox.resume(user, this.#roomName);
  }

  /** Makes the field read-only. */
  close() {
    this.#composer.setOpen(false);
  }

  /** Holds the waiting messages back: the connection is lost. */
  pause() {
    this.#outbox.pause();
  }

  /** Removes a message that is in the room, or was discarded. */
  drop(cid) {
    this.#outbox.remove(cid);
  }

  /** Tries a failed message again; a command that no bot has is sent as a text. */
  retry(item) {
    this.#outbox.retry(item, { isChecked: item.code === UNKNOWN_COMMAND });
  }

  get #draftKey() {
    return `draft.${this.#roomName}`;
  }

  /** Moves drafts and messages to the id of a room that was opened by another spelling. */
  #moveFrom(asked) {
    const draft = recall(`draft.${asked}`);
    remember(`draft.${asked}`, null);
    if (draft !== null) remember(this.#draftKey, draft);
    this.#outbox.moveRoom(asked, this.#roomName);
    this.#composer.restore(recall(this.#draftKey));
  }

  /** Sends a text; resolves to false if it stays in its field. */
  async #write(text, { asText = false }) {
    const room = this.#roomName;
    this.#actions.notice('');
    const isChecked = asText || !isCommand(text);
    const list = () => this.#actions.call('bot.commands', { room });
    try {
      if (!isChecked) await this.#requireKnown({ room, text }, list);
    } catch (error) {
      if (error.code === UNKNOWN_COMMAND) {
        const why = `${error.message} Your text was not sent.`;
        this.#actions.notice(why, 'Send as text', () => this.#composer.sendAsText());
        return false;
      }
      // If the server cannot tell now, the page asks again before it sends the text.
    }
    this.#actions.scrollToEnd();
    this.#outbox.add(room, text, { isChecked });
    return true;
  }

  /** Throws if a text is a command that no bot of the room has; `list` returns the commands. */
  #requireKnown({ room, text }, list) {
    const members = room === this.#roomName ? [...this.#room.members.values()] : [];
    const hasBots = members.some(({ user }) => user.kind === 'bot');
    return requireKnownCommand(text, async () => (await list(room)).commands, hasBots);
  }

  async #send({ room, text, cid, isChecked }) {
    if (!isChecked) await this.#requireKnown({ room, text }, this.#actions.commands);
    const { message } = await this.#actions.send({ room, text, cid });
    if (room === this.#roomName) this.#room.addSent(message);
  }

  #showUnsent(items) {
    const isHere = ({ room }) => room === this.#roomName;
    this.#actions.showUnsent(items.filter(isHere));
    this.#actions.showUnsentElsewhere(items.filter((item) => !isHere(item)));
  }
}
