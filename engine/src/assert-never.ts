/** The default branch of a switch that must name every case; does not type-check where one is missing. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`);
}
