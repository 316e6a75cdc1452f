/** Waits for what an editor does in its own time. */
export async function until<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>, patience = 15_000): Promise<T> {
  const end = Date.now() + patience;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${patience / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
