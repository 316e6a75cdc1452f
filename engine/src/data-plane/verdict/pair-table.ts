/** A hash table from two small numbers to a third, by open addressing: a look-up allocates nothing. */
export interface PairTable {
  first: Int32Array;
  second: Int32Array;
  /** -1 in an empty place. */
  values: Int32Array;
  size: number;
}

const SMALLEST = 64;

export const pairTable = (): PairTable => ({ first: new Int32Array(SMALLEST), second: new Int32Array(SMALLEST), values: new Int32Array(SMALLEST).fill(-1), size: 0 });

const placeOf = (a: number, b: number, mask: number): number => {
  const mixed = Math.imul(a ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) & mask;
};

/** -1 where there is none. */
export function pairGet(table: PairTable, a: number, b: number): number {
  const { first, second, values } = table;
  const mask = values.length - 1;
  for (let i = placeOf(a, b, mask); ; i = (i + 1) & mask) {
    const value = values[i] as number;
    if (value < 0 || (first[i] === a && second[i] === b)) return value;
  }
}

/** `value` is not negative. */
export function pairSet(table: PairTable, a: number, b: number, value: number): void {
  if (table.size * 2 >= table.values.length) grow(table);
  insert(table, a, b, value);
}

function insert(table: PairTable, a: number, b: number, value: number): void {
  const { first, second, values } = table;
  const mask = values.length - 1;
  let i = placeOf(a, b, mask);
  while ((values[i] as number) >= 0 && !(first[i] === a && second[i] === b)) i = (i + 1) & mask;
  if ((values[i] as number) < 0) table.size++;
  first[i] = a;
  second[i] = b;
  values[i] = value;
}

function grow(table: PairTable): void {
  const { first, second, values } = table;
  const size = values.length * 2;
  table.first = new Int32Array(size);
  table.second = new Int32Array(size);
  table.values = new Int32Array(size).fill(-1);
  table.size = 0;
  for (let i = 0; i < values.length; i++) if ((values[i] as number) >= 0) insert(table, first[i] as number, second[i] as number, values[i] as number);
}
