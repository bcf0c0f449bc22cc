import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buildProgram } from './program.ts';
import { renderCliReference } from './reference.ts';

/** `npm run generate` writes `docs/reference/cli.md` from the commands; `program.test.ts` fails when it is stale. */
const program = buildProgram({
  out: () => {},
  err: () => {},
  env: {},
  cwd: '/',
  home: '/',
  isTerminal: false,
  readStdin: async () => '',
  signal: new AbortController().signal,
});
await writeFile(path.join(import.meta.dirname, '..', 'docs', 'reference', 'cli.md'), renderCliReference(program));
