import { type FileLimits, type ParsedFile, parseFile } from './document/parse.ts';

/** Files as they were read, by blob: the same content is parsed once, over all workspaces of a writer. Bounded by the texts' size and structure. */
export type FileCache = {
  parse(blob: string, text: string): ParsedFile;
  get(blob: string): ParsedFile | undefined;
};

const DEFAULT_MAX_CHARACTERS = 8 * 1024 * 1024;
/** What people write has one in some ten characters, and takes as much memory for each as what is nothing but marks. */
const CHARACTERS_OF_A_MARK = 10;

export function createFileCache(limits: FileLimits, maxCharacters = DEFAULT_MAX_CHARACTERS): FileCache {
  const files = new Map<string, { readonly file: ParsedFile; readonly weight: number }>();
  let total = 0;
  const get = (blob: string): ParsedFile | undefined => {
    const found = files.get(blob);
    if (found === undefined) return undefined;
    files.delete(blob);
    files.set(blob, found);
    return found.file;
  };
  return {
    get,
    parse: (blob, text) => {
      const known = get(blob);
      if (known !== undefined) return known;
      const file = parseFile(text, limits);
      const marks = file.type === 'parsed' ? file.marks : 0;
      const weight = Math.max(text.length, marks * CHARACTERS_OF_A_MARK);
      files.set(blob, { file, weight });
      total += weight;
      for (const [oldest, { weight: freed }] of files) {
        if (total <= maxCharacters) break;
        files.delete(oldest);
        total -= freed;
      }
      return file;
    },
  };
}
