import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Dependencies, findViolations, isPure, type SourceFile } from './support/arrows.ts';
import { codeOnly, parseImports } from './support/sourcetext.ts';

const ROOT = path.join(import.meta.dirname, '..');

describe('the tree', () => {
  const files = readTree();

  it('has no import against the architecture and no impure code in a pure file', () => {
    expect(findViolations(files, readDependencies())).toEqual([]);
  });

  it('was really read', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(files.some((file) => isPure(file.path))).toBe(true);
    expect(parseImports(files.find((file) => file.path === 'test/arrows.test.ts')?.text ?? '')).toHaveLength(6);
  });
});

describe('arrows', () => {
  const cases: readonly [file: string, text: string, problem: string | undefined][] = [
    ['model/a.ts', "import { b } from './b.ts';", undefined],
    ['model/a.ts', "import { b } from '../kube/quantity.ts';", undefined],
    ['model/a.ts', "import { b } from '../kube/client.ts';", 'model must not import kube'],
    ['model/a.ts', "import type { B } from '../crds/v1alpha1/plan.ts';", 'model must not import crds'],
    ['kube/a.ts', "export * from '../model/names.ts';", 'kube must not import model'],
    ['operator/a.ts', "const b = await import('../source/gate.ts');", 'operator must not import source'],
    ['operator/a.ts', "import { b } from '../simulator/world.ts';", 'operator must not import simulator'],
    ['operator/a.test.ts', "import { b } from '../simulator/world.ts';", undefined],
    ['operator/a.ts', "import { b } from '../test/support/install.ts';", 'operator must not import test'],
    ['simulator/a.ts', "import { b } from '../rdp/client.ts';", 'simulator must not import rdp'],
    ['cli/a.ts', "import { b } from '../operator/main.ts';", undefined],
    ['api/a.ts', "import { b } from '../operator/main.ts';", 'api must not import operator'],
    ['operator/a.ts', "import { b } from '../../elsewhere.ts';", 'outside the repository'],
    ['operator/a.ts', "import { test } from 'vitest';", 'vitest is a development dependency'],
    ['operator/a.test.ts', "import { test } from 'vitest';", undefined],
    ['operator/a.ts', "import left from 'left-pad';", 'left-pad is not in package.json'],
    ['operator/a.ts', "import { KubeConfig } from '@kubernetes/client-node/dist/config.js';", undefined],
  ];

  it.each(cases)('%s: %s', (file, text, problem) => {
    const found = findViolations(
      [{ path: file, text }],
      dependencies(['@kubernetes/client-node', 'zod', 'yaml'], ['vitest']),
    );
    if (problem === undefined) expect(found).toEqual([]);
    else expect(found).toEqual([expect.stringContaining(problem)]);
  });
});

describe('purity', () => {
  const cases: readonly [text: string, problem: string | undefined][] = [
    ["import { z } from 'zod';", undefined],
    ["import { createHash } from 'node:crypto';", undefined],
    ["import { createHash, randomBytes } from 'node:crypto';", 'must not import node:crypto'],
    ["import { readFileSync } from 'node:fs';", 'must not import node:fs'],
    ["import { parse } from 'yaml';", 'must not import yaml'],
    ["import type { VirtualMachine } from '../../kubevirt/types.gen.ts';", undefined],
    ["import { isOn } from '../../kubevirt/helper.ts';", 'which is not pure'],
    ["import type { Clock } from '../../kube/clock.ts';", undefined],
    ["import type { Logger } from 'pino';", 'must not import pino'],
    ["import { createClient } from '../../kube/client.ts';", 'which is not pure'],
    ["import { parseQuantity } from '../../kube/quantity.ts';", undefined],
    ['const at = Date.now();', 'Date.now'],
    ['const at = new Date();', 'new Date() without a time'],
    ['const at = new Date(ms).toISOString();', undefined],
    ['const at = Date.parse(text);', undefined],
    ['const x = Math.random();', 'Math.random'],
    ['const x = process.env.HOME;', 'process'],
    ['const x = new Intl.NumberFormat();', 'Intl'],
    ['const x = n.toLocaleString();', 'toLocale'],
    ['list.sort((a, b) => a.localeCompare(b));', 'localeCompare'],
    ['setTimeout(run, 5);', 'a timer'],
    ['deps.clock.setTimeout(run, 5);', undefined],
    ["const x = 'Date.now()'; // Math.random()", undefined],
    [`const x = \`Date.now() ${'$'}{Date.now()}\`;`, 'Date.now'],
    ['/* process.env */ const x = /Intl/;', undefined],
  ];

  it.each(cases)('%s', (text, problem) => {
    const found = findViolations([{ path: 'operator/desired/a.ts', text }], dependencies(['zod', 'yaml'], []));
    if (problem === undefined) expect(found).toEqual([]);
    else expect(found).toEqual([expect.stringContaining(problem)]);
  });

  it('holds for what a pure file imports from its own part, too', () => {
    const files = [
      { path: 'operator/desired/a.ts', text: "import { b } from '../outcome.ts';" },
      { path: 'operator/outcome.ts', text: "import { c } from './names.ts';" },
      { path: 'operator/names.ts', text: 'export const at = Date.now();' },
      { path: 'operator/other.ts', text: 'export const at = Date.now();' },
    ];
    expect(findViolations(files, dependencies([], []))).toEqual([
      'operator/names.ts:1: a file that the pure operator/outcome.ts imports must not use Date.now',
    ]);
  });

  it('does not hold for tests beside pure files', () => {
    const text = "import { readFileSync } from 'node:fs';\nconst at = Date.now();";
    expect(findViolations([{ path: 'model/a.test.ts', text }], dependencies([], []))).toEqual([]);
  });
});

describe('reading imports', () => {
  it('sees every form and no text that only looks like one', () => {
    const text = [
      "import 'node:fs';",
      "import type { A } from './a.ts';",
      "import b, {\n  type C,\n} from './b.ts';",
      "export type { D } from './d.ts';",
      "// import { no } from './comment.ts';",
      'const s = "import { no } from \'./string.ts\'";',
      "export const e = 'a';",
      "const f = await import('./f.ts');",
    ].join('\n');
    expect(parseImports(text).map(({ specifier, typeOnly, line }) => [specifier, typeOnly, line])).toEqual([
      ['node:fs', false, 1],
      ['./a.ts', true, 2],
      ['./b.ts', false, 3],
      ['./d.ts', true, 6],
      ['./f.ts', false, 10],
    ]);
  });

  it('keeps lines and columns when it blanks strings, comments and regular expressions', () => {
    const hole = '$' + '{';
    const text = `const a = 'x\\'y'; // z\nconst b = /[/]"/g; const c = \`p${hole}'q'}r\`;`;
    expect(codeOnly(text)).toBe(`const a = '    ';     \nconst b = /    /g; const c = \` ${hole}' '} \`;`);
  });
});

function readTree(): readonly SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', '*.ts'], {
    cwd: ROOT,
  });
  const paths = listed
    .toString('utf8')
    .split('\n')
    .filter((file) => file !== '' && existsSync(path.join(ROOT, file)));
  const ours = paths.filter((file) => !file.startsWith('test/bench/contenders/'));
  return ours.map((file) => ({ path: file, text: readFileSync(path.join(ROOT, file), 'utf8') }));
}

function readDependencies(): Dependencies {
  const manifest: unknown = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const { dependencies: runtime = {}, devDependencies: development = {} } = manifest as {
    readonly dependencies?: Readonly<Record<string, string>>;
    readonly devDependencies?: Readonly<Record<string, string>>;
  };
  return dependencies(Object.keys(runtime), Object.keys(development));
}

function dependencies(runtime: readonly string[], development: readonly string[]): Dependencies {
  return { runtime: new Set(runtime), development: new Set(development) };
}
