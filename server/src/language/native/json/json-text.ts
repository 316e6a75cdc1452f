/** JSON with the place of every token, read from the lines of a dump; what is wrong with it is told at the first wrong character. */

export interface JsonAt {
  /** From the start of the text. */
  readonly start: number;
  readonly end: number;
}

export type JsonNode = JsonAt &
  (
    | { readonly kind: 'object'; readonly members: readonly JsonMember[] }
    | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
    | { readonly kind: 'string'; readonly value: string }
    /** A number, `true`, `false` or `null`, as it is written. */
    | { readonly kind: 'word'; readonly value: string }
  );

export interface JsonMember {
  readonly key: JsonAt & { readonly value: string };
  readonly value: JsonNode;
}

export interface JsonProblem extends JsonAt {
  readonly message: string;
}

export interface JsonReading {
  /** What could be read before the problem; `null` where there is nothing. */
  readonly root: JsonNode | null;
  readonly problem: JsonProblem | null;
}

interface State {
  readonly text: string;
  at: number;
  problem: JsonProblem | null;
}

const DEEPEST = 64;

export function readJson(text: string): JsonReading {
  const state: State = { text, at: 0, problem: null };
  const root = readValue(state, 0);
  skipBlanks(state);
  if (state.problem === null && state.at < text.length) fail(state, 'Nothing may follow the end of the JSON.');
  return { root, problem: state.problem };
}

function fail(state: State, message: string): null {
  const end = /^\S+/.exec(state.text.slice(state.at, state.at + 40))?.[0].length ?? 0;
  state.problem ??= { start: state.at, end: Math.min(state.text.length, state.at + end), message };
  return null;
}

function skipBlanks(state: State): void {
  while (state.at < state.text.length && ' \t\r\n'.includes(state.text.charAt(state.at))) state.at++;
}

/** Whether the next character is this one, which is then behind. */
function take(state: State, character: string): boolean {
  skipBlanks(state);
  if (state.text.charAt(state.at) !== character) return false;
  state.at++;
  return true;
}

function readValue(state: State, depth: number): JsonNode | null {
  skipBlanks(state);
  const start = state.at;
  if (depth > DEEPEST) return fail(state, 'This JSON is nested too deeply.');
  switch (state.text.charAt(start)) {
    case '{':
      return readObject(state, depth);
    case '[':
      return readArray(state, depth);
    case '"':
      return readString(state);
    default: {
      const word = /^(true|false|null|-?\d+(\.\d+)?([eE][+-]?\d+)?)(?![\w.])/.exec(state.text.slice(start, start + 64))?.[0];
      if (word === undefined) return fail(state, 'A value of JSON is missing here.');
      state.at += word.length;
      return { kind: 'word', value: word, start, end: state.at };
    }
  }
}

function readObject(state: State, depth: number): JsonNode {
  const start = state.at++;
  const members: JsonMember[] = [];
  if (!take(state, '}')) {
    for (;;) {
      const member = readMember(state, depth);
      if (member !== null) members.push(member);
      if (state.problem !== null || take(state, '}')) break;
      if (!take(state, ',')) {
        fail(state, 'A `,` or the `}` of this object is missing.');
        break;
      }
    }
  }
  return { kind: 'object', members, start, end: state.at };
}

function readMember(state: State, depth: number): JsonMember | null {
  skipBlanks(state);
  const key = state.text.charAt(state.at) === '"' ? readString(state) : fail(state, 'A name in quotes is missing here.');
  if (key?.kind !== 'string') return null;
  if (!take(state, ':')) return fail(state, 'The `:` after the name is missing.');
  const value = readValue(state, depth + 1);
  return value === null ? null : { key, value };
}

function readArray(state: State, depth: number): JsonNode {
  const start = state.at++;
  const items: JsonNode[] = [];
  if (!take(state, ']')) {
    for (;;) {
      const item = readValue(state, depth + 1);
      if (item !== null) items.push(item);
      if (state.problem !== null || take(state, ']')) break;
      if (!take(state, ',')) {
        fail(state, 'A `,` or the `]` of this list is missing.');
        break;
      }
    }
  }
  return { kind: 'array', items, start, end: state.at };
}

function readString(state: State): JsonNode | null {
  const start = state.at;
  const literal = /^"(?:[^"\\\n]|\\.)*"/.exec(state.text.slice(start, start + 4096))?.[0];
  if (literal === undefined) return fail(state, 'This text has no closing quote.');
  state.at += literal.length;
  try {
    return { kind: 'string', value: JSON.parse(literal) as string, start, end: state.at };
  } catch {
    state.at = start;
    return fail(state, 'This text has an escape that JSON does not know.');
  }
}
