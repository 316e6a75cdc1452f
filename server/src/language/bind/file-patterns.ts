/** `objects/*.yaml`: which files a pattern names. `*` and `?` stand for characters of one name, `**` for folders. */

export interface FolderEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder';
}

/** Deeper folders and further files are not looked at: a pattern is not meant for a whole disk. */
const DEEPEST = 12;
const MOST_FILES = 10_000;

export const hasWildcard = (pattern: string): boolean => /[*?]/.test(pattern);

const segmentPattern = (segment: string): RegExp =>
  new RegExp(`^${segment.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll(/\*+/g, '[^/]*').replaceAll('?', '[^/]')}$`);

/** Sorted, so that the order in which a system lists files changes nothing. Hidden files want their dot in the pattern. */
export function filesMatching(pattern: string, listFolder: (path: string) => readonly FolderEntry[]): readonly string[] {
  const found = new Set<string>();
  const walk = (folder: string, segments: readonly string[], depth: number): void => {
    const [segment, ...rest] = segments;
    if (segment === undefined || depth > DEEPEST || found.size >= MOST_FILES) return;
    const inside = (name: string): string => (folder === '' ? name : `${folder}/${name}`);
    if (segment === '**') {
      walk(folder, rest, depth);
      for (const entry of listFolder(folder)) if (entry.kind === 'folder' && !entry.name.startsWith('.')) walk(inside(entry.name), segments, depth + 1);
    } else if (!hasWildcard(segment) && rest.length > 0) walk(inside(segment), rest, depth + 1);
    else {
      const matches = segmentPattern(segment);
      for (const { name, kind } of listFolder(folder)) {
        if (!matches.test(name) || (name.startsWith('.') && !segment.startsWith('.'))) continue;
        if (rest.length > 0 && kind === 'folder') walk(inside(name), rest, depth + 1);
        else if (rest.length === 0 && kind === 'file' && found.size < MOST_FILES) found.add(inside(name));
      }
    }
  };
  walk('', pattern.split('/').filter((s) => s !== '' && s !== '.'), 0);
  return [...found].sort();
}

/** Whether a path, relative to the same folder, is of the pattern. */
export function matchesPattern(pattern: string, path: string): boolean {
  const matches = (segments: readonly string[], names: readonly string[]): boolean => {
    const [segment, ...rest] = segments;
    const [name, ...others] = names;
    if (segment === undefined) return name === undefined;
    if (segment === '**') return matches(rest, names) || (name !== undefined && matches(segments, others));
    return name !== undefined && segmentPattern(segment).test(name) && matches(rest, others);
  };
  return matches(pattern.split('/').filter((s) => s !== '' && s !== '.'), path.split('/'));
}
