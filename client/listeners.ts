/** The listeners of an app, by the names of events. */
export class Listeners<Events> {
  private readonly byName = new Map<keyof Events, Set<(data: never) => void>>();

  /** `onFailure` gets the exception of a listener; the other listeners are called all the same. */
  constructor(private readonly onFailure: (error: unknown, name: keyof Events) => void) {}

  /** Registers a listener; returns a function that removes it. */
  add<E extends keyof Events>(name: E, listener: (data: Events[E]) => void): () => void {
    const listeners = this.byName.get(name) ?? new Set();
    this.byName.set(name, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Returns whether an event has listeners. */
  has(name: keyof Events): boolean {
    return (this.byName.get(name)?.size ?? 0) > 0;
  }

  /** Calls the listeners in the order of their registration. */
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
