import { once } from './once.ts';

/** Work in steps, for who has other work in between; `finished` is for who has none. */
export type Steps<T> = Generator<undefined, T>;

export function finished<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** One computation for all who ask: whoever comes later goes on where it stands, and what it gave is kept. */
export function onceInSteps<T>(make: () => Steps<T>): () => Steps<T> {
  const steps = once(make);
  let made: { readonly value: T } | null = null;
  return function* () {
    while (made === null) {
      const step = steps().next();
      if (step.done === true) made = { value: step.value };
      else yield undefined;
    }
    return made.value;
  };
}
