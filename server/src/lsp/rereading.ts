/** Documents whose dumps have changed are analysed again when the typing in the dumps pauses: a dump may have 55,000 lines. */

const PAUSE_MS = 150;

export interface Rereading {
  soon(documents: readonly string[]): void;
  readonly stop: () => void;
}

export function createRereading(again: (document: string) => void): Rereading {
  const timers = new Map<string, NodeJS.Timeout>();
  return {
    soon(documents) {
      for (const uri of documents) {
        clearTimeout(timers.get(uri));
        timers.set(uri, setTimeout(() => {
          timers.delete(uri);
          again(uri);
        }, PAUSE_MS));
      }
    },
    stop: () => {
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
