import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Print } from './bench.ts';

const BENCH = path.join(import.meta.dirname, '..');
const DOT_I = path.join(BENCH, 'contenders', 'dot-i-k8s-operator');

/** Somebody who converges Tenants, in a process of its own. */
export type Contender = {
  readonly name: string;
  readonly entry: string;
  /** Arguments for a run of that name with so many Tenants. */
  args(run: string, tenants: number): readonly string[];
  /** Whether it waits for `go`, rather than begin by itself. */
  readonly waits: boolean;
};

export const SUBLET: Contender = {
  name: 'sublet',
  entry: path.join(BENCH, 'roles', 'sublet.ts'),
  args: () => [],
  waits: false,
};

export const CLIENT_NODE: Contender = {
  name: 'client-node informer',
  entry: path.join(BENCH, 'contenders', 'client-node', 'main.ts'),
  args: () => [],
  waits: false,
};

export const DOT_I_OPERATOR: Contender = {
  name: '@dot-i/k8s-operator',
  entry: path.join(DOT_I, 'main.ts'),
  args: () => [],
  waits: false,
};

/** The client with no logic. */
export function buildCeiling(connections: number): Contender {
  return {
    name: `ceiling, ${connections} connections`,
    entry: path.join(BENCH, 'roles', 'ceiling.ts'),
    args: (run, tenants) => [run, String(tenants), String(connections)],
    waits: true,
  };
}

/**
 * Installs the contender that has dependencies of its own, outside the product's, unless that was done for this lock file.
 * Throws with npm's own words when it cannot be had.
 */
export function installDotI(print: Print): void {
  const hash = createHash('sha256')
    .update(readFileSync(path.join(DOT_I, 'package-lock.json')))
    .digest('hex');
  const stamp = path.join(DOT_I, 'node_modules', '.sublet-lock-hash');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  print('installing @dot-i/k8s-operator beside the bench with npm ci (about 10 s) ...');
  const result = spawnSync('npm', ['ci', '--loglevel=error', '--no-audit', '--no-fund'], {
    cwd: DOT_I,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) throw new Error(`npm ci in ${DOT_I} failed:\n${result.stderr ?? result.error?.message}`);
  writeFileSync(stamp, hash);
}

/** The versions of the libraries that contenders stand on. */
export function readContenderVersions(): Readonly<Record<string, string>> {
  const modules = path.join(DOT_I, 'node_modules');
  return {
    '@kubernetes/client-node': readVersion(path.join(BENCH, '..', '..', 'node_modules', '@kubernetes', 'client-node')),
    '@dot-i/k8s-operator': readVersion(path.join(modules, '@dot-i', 'k8s-operator')),
    'with client-node': readVersion(path.join(modules, '@kubernetes', 'client-node')),
  };
}

function readVersion(folder: string): string {
  const file = path.join(folder, 'package.json');
  if (!existsSync(file)) return 'absent';
  const manifest: { readonly version?: string } = JSON.parse(readFileSync(file, 'utf8'));
  return manifest.version ?? '?';
}
