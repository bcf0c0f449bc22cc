import { parseAllDocuments } from 'yaml';

/** The documents of a file as JSON, without those that hold nothing. Throws with the line of the first error. */
export function parseDocuments(text: string): readonly unknown[] {
  const documents = parseAllDocuments(text, {
    version: '1.2',
    schema: 'core',
    stringKeys: true,
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: 'silent',
  });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    const problem = document.errors[0];
    if (problem !== undefined) {
      const line = text.slice(0, problem.pos[0]).split('\n').length;
      throw new Error(`yaml: line ${line}: ${problem.message.split('\n')[0]}`);
    }
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return value === null || value === undefined ? [] : [value];
  });
}
