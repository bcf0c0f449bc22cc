import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..', '..', '..');

/** The machine and the versions that raw numbers depend on; one line each. */
export function describeEnvironment(extra: Readonly<Record<string, string>> = {}): readonly string[] {
  const processors = cpus();
  return [
    `machine: ${processors.length} x ${processors[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}, load ${loadavg()[0]?.toFixed(1)}`,
    `versions: Sublet ${describeCommit()}, Node ${process.versions.node}, V8 ${process.versions.v8}${Object.entries(
      extra,
    )
      .map(([name, version]) => `, ${name} ${version}`)
      .join('')}`,
  ];
}

function describeCommit(): string {
  try {
    const git = (...args: string[]) => execFileSync('git', ['-C', ROOT, ...args], { encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? ' with local changes' : ''}`;
  } catch {
    return 'of an unknown commit';
  }
}
