/** A file of a published archive. */
export type ArchiveFile = { readonly name: string; readonly text: string };

/** Something in a value that JSON or a later reader of the published file would change or trip over. */
export type ValueProblem = {
  readonly path: readonly (string | number)[];
  readonly rule: string;
  readonly message: string;
};

/** Looks for what cannot be carried over exactly: numbers beyond 2^53, halves of surrogate pairs, keys that reach an object's prototype. */
export function findValueProblems(value: unknown, path: readonly (string | number)[] = []): readonly ValueProblem[] {
  if (typeof value === 'string') {
    if (!value.isWellFormed())
      return [{ path, rule: 'Text', message: 'holds half of a surrogate pair, which is no character' }];
    return value.includes('\0') ? [{ path, rule: 'Text', message: 'holds a NUL character' }] : [];
  }
  if (typeof value === 'number') return findNumberProblems(value, path);
  if (Array.isArray(value)) return value.flatMap((item, index) => findValueProblems(item, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const at = [...path, key];
    if (key === '__proto__') return [{ path: at, rule: 'Key', message: 'cannot be a key' }];
    if (key.length > MAX_KEY_LENGTH || !key.isWellFormed()) {
      return [
        {
          path,
          rule: 'Key',
          message: `has a key of ${key.length} characters (at most ${MAX_KEY_LENGTH}), or one that is no text`,
        },
      ];
    }
    return findValueProblems(item, at);
  });
}

/**
 * One published file. Published is what was judged, not what was written: each document as JSON, which is YAML that every reader reads
 * alike, so nothing can mean one thing to the gate and another to Flux. Comments and layout do not move an artifact for the same reason.
 */
export function renderFile(name: string, documents: readonly unknown[]): ArchiveFile {
  return { name, text: documents.map((document) => `---\n${renderJson(document)}\n`).join('') };
}

/** The inverse of `renderFile`; throws on anything that it did not write. */
export function parseRendered(text: string): readonly unknown[] {
  return text
    .split(/^---\n/m)
    .slice(1)
    .map((part): unknown => JSON.parse(part));
}

const MAX_KEY_LENGTH = 317;

function findNumberProblems(value: number, path: readonly (string | number)[]): readonly ValueProblem[] {
  if (!Number.isFinite(value)) return [{ path, rule: 'Number', message: 'is not a finite number' }];
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return [{ path, rule: 'Number', message: 'is beyond 2^53 and would lose digits; put it in quotes' }];
  }
  return [];
}

/** JSON whose strings hold only characters that YAML allows unescaped. */
function renderJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
