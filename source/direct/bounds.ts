import { ArchiveRefusedError, type SourceLimits } from '../limits.ts';

/** A path is as fit for an archive as `parseTar` wants it. */
export function checkPath(folder: string, name: string, limits: SourceLimits): void {
  const path = `${folder}/${name}`;
  if (Buffer.byteLength(path) > limits.pathBytes)
    throw new ArchiveRefusedError(
      'pathBytes',
      `a path has ${Buffer.byteLength(path)} bytes, more than pathBytes ${limits.pathBytes}: ${quote(path)}`,
    );
  if (/[\\/\0]/.test(name) || name === '' || name === '.' || name === '..' || name.toLowerCase() === '.git')
    throw new ArchiveRefusedError(
      'path',
      `the path ${quote(path)} is not a plain relative path; "..", ".git" and backslashes are refused`,
    );
  const depth = path.split('/').length;
  if (depth > limits.pathDepth)
    throw new ArchiveRefusedError(
      'pathDepth',
      `${quote(path)} is ${depth} levels deep, more than pathDepth ${limits.pathDepth}`,
    );
}

export type Budget = ReturnType<typeof createBudget>;

/** What the environment may have in all. Names the folder that has most of it: a person has to know where to look. */
export function createBudget(limits: SourceLimits) {
  const perFolder = new Map<string, number>();
  let entries = 0;
  let bytes = 0;
  return {
    addEntries: (folder: string, count: number): void => {
      entries += count;
      perFolder.set(folder, (perFolder.get(folder) ?? 0) + count);
      if (entries <= limits.entries) return;
      const [most, own] = [...perFolder].reduce((a, b) => (b[1] > a[1] ? b : a));
      throw new ArchiveRefusedError(
        'entries',
        `the tree has more than ${limits.entries} entries; ${quote(most)} alone has ${own}`,
      );
    },
    addBytes: (count: number): void => {
      bytes += count;
      if (bytes > limits.unpackedBytes)
        throw new ArchiveRefusedError(
          'unpackedBytes',
          `the files to publish have more than unpackedBytes ${limits.unpackedBytes} bytes`,
        );
    },
  };
}

export function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}...` : text);
}
