import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const MAIN = path.join(import.meta.dirname, 'main.ts');

function bench(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('npm run bench', () => {
  it('lists the benchmarks when none is named', () => {
    const { status, stdout } = bench();
    expect(status).toBe(0);
    for (const name of ['api', 'change', 'converge', 'restart', 'decode', 'fleet', 'git'])
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  });

  it('ends with 2 on a name that does not exist, and says which do', () => {
    const { status, stderr } = bench('convergence');
    expect(status).toBe(2);
    expect(stderr).toContain('there is no benchmark named "convergence"');
    expect(stderr).toContain('converge ');
  });

  it('ends with 2 on a wrong option, before anything is started', () => {
    const { status, stderr } = bench('fleet', '--folders', '1');
    expect(status).toBe(2);
    expect(stderr).toContain('--folders takes a whole number from 2 to 5000, not "1"');
  });

  it('shows options and examples', () => {
    const { status, stdout } = bench('converge', '--help');
    expect(status).toBe(0);
    expect(stdout).toContain('--tenants N');
    expect(stdout).toContain('npm run bench -- converge --tenants 50 --reps 1');
  });

  it('measures, and ends with one line of JSON that the exit code agrees with', () => {
    const { status, stdout } = bench('decode', '--tenants', '10', '--reps', '3');
    const { P11 } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    expect(P11).toBeGreaterThan(0);
    expect(status).toBe(P11 >= 0.8 ? 0 : 1);
  });
});
