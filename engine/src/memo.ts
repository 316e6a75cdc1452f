/** A function of one argument that remembers each of its answers. */
export function memo<K, V>(make: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const made = make(key);
    known.set(key, made);
    return made;
  };
}

/** A function of a record that never changes and of a key, which remembers each of its answers as long as the record lives. */
export function perRecord<O extends object, K, V>(make: (owner: O, key: K) => V): (owner: O, key: K) => V {
  const known = new WeakMap<O, Map<K, V>>();
  return (owner, key) => {
    let answers = known.get(owner);
    if (answers === undefined) {
      answers = new Map<K, V>();
      known.set(owner, answers);
    }
    const before = answers.get(key);
    if (before !== undefined) return before;
    const made = make(owner, key);
    answers.set(key, made);
    return made;
  };
}
