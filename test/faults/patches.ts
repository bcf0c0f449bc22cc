import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A rule of the product, broken on purpose. */
export type Mutation = {
  readonly name: string;
  readonly file: string;
  readonly title: string;
  /** Class and scenario that are tried first. */
  readonly look: { readonly class: string; readonly scenario: string };
};

/** How much around a patch has to be as it was: `git apply` is given it. */
export const CONTEXT = '-C1';

/** Reads `mutations/*.patch`: a line of title, a line `Look first: <class> <scenario>`, an empty line, and a unified diff. */
export function readMutations(): readonly Mutation[] {
  const folder = path.join(import.meta.dirname, 'mutations');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.patch'))
    .sort()
    .map((name) => {
      const file = path.join(folder, name);
      const [title = '', hint = ''] = readFileSync(file, 'utf8').split('\n');
      const found = /^Look first: (\S+) (\S+)$/.exec(hint);
      if (found?.[1] === undefined || found[2] === undefined) {
        throw new Error(`${file}: the second line is not "Look first: <class> <scenario>"`);
      }
      return { name: name.slice(0, -'.patch'.length), file, title, look: { class: found[1], scenario: found[2] } };
    });
}
