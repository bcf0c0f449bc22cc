import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';

export type Case = { readonly name: string; readonly resource: unknown };
/** `errors` are what `parseResource` says, one line each: `spec.plan: is required: a text`. */
export type InvalidCase = Case & { readonly errors: readonly string[] };

export async function readValidCases(): Promise<readonly Case[]> {
  return readCases('valid');
}

/** Every invalid case has its expected errors beside it, in a file of the same name that ends in `.error`. */
export async function readInvalidCases(): Promise<readonly InvalidCase[]> {
  const cases = await readCases('invalid');
  return Promise.all(
    cases.map(async (found) => {
      const text = await readFile(path.join(import.meta.dirname, 'invalid', `${found.name}.error`), 'utf8');
      return { ...found, errors: text.trimEnd().split('\n') };
    }),
  );
}

async function readCases(folder: string): Promise<readonly Case[]> {
  const directory = path.join(import.meta.dirname, folder);
  const files = (await readdir(directory)).filter((file) => file.endsWith('.yaml')).sort();
  return Promise.all(
    files.map(async (file) => ({
      name: file.slice(0, -'.yaml'.length),
      resource: parse(await readFile(path.join(directory, file), 'utf8')),
    })),
  );
}
