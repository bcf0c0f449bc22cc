// `npm run check`: everything that can be judged without running the product, at once. Prints one line a part and the output
// of those that failed; exits 1 when one did.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..');
const BIN = path.join(ROOT, 'node_modules', '.bin');

type Part = { readonly name: string; readonly command: string; readonly args: readonly string[] };
type Result = Part & { readonly code: number; readonly output: string; readonly elapsedS: string };

const PARTS: readonly Part[] = [
  { name: 'format and lint', command: tool('biome'), args: ['check', '--error-on-warnings', '--colors=off', '.'] },
  { name: 'types', command: tool('tsc'), args: ['-p', '.', '--noEmit', '--pretty', 'false'] },
  {
    name: 'arrows and purity',
    command: process.execPath,
    args: [path.join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--project=unit', 'test/arrows.test.ts'],
  },
  { name: 'generated files clean', command: process.execPath, args: ['crds/generate.ts', '--check'] },
];

const results = await Promise.all(PARTS.map(run));
for (const { name, code, elapsedS } of results)
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${elapsedS} s)`);
const failed = results.filter(({ code }) => code !== 0);
for (const { name, command, args, output } of failed) {
  const shown = [path.relative(ROOT, command).startsWith('..') ? 'node' : path.relative(ROOT, command), ...args];
  console.log(`\n--- ${name}: ${shown.join(' ')}\n${output.trimEnd()}`);
}
if (failed.length > 0) {
  console.log(
    `\n${failed.length} of ${results.length} failed; npm run format repairs formatting, npm run generate repairs generated files`,
  );
  process.exitCode = 1;
}

async function run(part: Part): Promise<Result> {
  const startedAt = performance.now();
  let output = '';
  const child = spawn(part.command, part.args, {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  const code = await new Promise<number>((resolve) => {
    child.on('error', (error) => {
      output += error.message;
      resolve(127);
    });
    child.on('close', (status) => resolve(status ?? 1));
  });
  return { ...part, code, output, elapsedS: ((performance.now() - startedAt) / 1_000).toFixed(1) };
}

function tool(name: string): string {
  const file = path.join(BIN, name);
  if (!existsSync(file)) throw new Error(`${name} is not installed: run npm ci`);
  return process.platform === 'win32' ? `${file}.cmd` : file;
}
