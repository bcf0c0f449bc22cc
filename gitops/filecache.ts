import { type FileLimits, type ParsedFile, parseFile } from './document/parse.ts';

/** Files as they were read, by blob: the same content is parsed once, over all workspaces of a writer. Bounded by the texts' size. */
export type FileCache = {
  parse(blob: string, text: string): ParsedFile;
  get(blob: string): ParsedFile | undefined;
};

const DEFAULT_MAX_CHARACTERS = 8 * 1024 * 1024;

export function createFileCache(limits: FileLimits, maxCharacters = DEFAULT_MAX_CHARACTERS): FileCache {
  const files = new Map<string, { readonly file: ParsedFile; readonly characters: number }>();
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
      files.set(blob, { file, characters: text.length });
      total += text.length;
      for (const [oldest, { characters }] of files) {
        if (total <= maxCharacters) break;
        files.delete(oldest);
        total -= characters;
      }
      return file;
    },
  };
}
