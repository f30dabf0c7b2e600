/** The functions that an app has registered, by the names of events. */
export class Listeners<Events> {
  private readonly byName = new Map<keyof Events, Set<(data: never) => void>>();

  /** `onFailure` is told what a listener of an event threw; the others are called all the same. */
  constructor(private readonly onFailure: (error: unknown, name: keyof Events) => void) {}

  /** Registers a listener; gives a function that takes it off again. */
  add<E extends keyof Events>(name: E, listener: (data: Events[E]) => void): () => void {
    const listeners = this.byName.get(name) ?? new Set();
    this.byName.set(name, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Tells whether anybody listens. */
  has(name: keyof Events): boolean {
    return (this.byName.get(name)?.size ?? 0) > 0;
  }

  /** Calls the listeners, in the order in which they were registered. */
  call<E extends keyof Events>(name: E, data: Events[E]): void {
    const listeners = this.byName.get(name) as Set<(data: Events[E]) => void> | undefined;
    for (const listener of [...(listeners ?? [])]) {
      try {
        listener(data);
      } catch (error) {
        this.onFailure(error, name);
      }
    }
  }
}
