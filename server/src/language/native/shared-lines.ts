/** The rules of a cluster's nodes are the same but for a few: what a line says is read and kept once for all of them. */

/** Of fewer lines it does not pay to know them again. */
const LARGE = 1000;

/** What is made of the lines of a text of so many: of a line that the large texts just before had as well, the same record. */
export function sharedBetweenTexts<T>(make: (line: string) => T): (lines: number) => (line: string) => T {
  let young = new Map<string, T>();
  let old: ReadonlyMap<string, T> = new Map();
  return (lines) => {
    if (lines < LARGE) return make;
    if (young.size > 2 * lines) [old, young] = [young, new Map<string, T>()];
    return (line) => {
      const known = young.get(line);
      if (known !== undefined) return known;
      const found = old.get(line) ?? make(line);
      young.set(line, found);
      return found;
    };
  };
}
