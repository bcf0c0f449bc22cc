import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';

const MAIN = path.join(import.meta.dirname, 'main.ts');
const WITHIN_MS = 300_000;

function simulate(...args: readonly string[]) {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
}

it.each([
  [['--seed', '1.5'], '--seed 1.5: expected a whole number from 0'],
  [['--days', '0'], '--days 0: expected a number from 0.1 to 3660'],
  [['--tenants', 'many'], '--tenants many: expected a whole number from 1 to 5000'],
  [['--faults', 'rain'], '--faults: there is no "rain"; there are: kill-operator, '],
  [['--faults', 'kill-writer'], '--faults: there is no "kill-writer"'],
  [['--shrink'], "Unknown option '--shrink'"],
])(
  'refuses %j',
  (args, message) => {
    const { status, stdout, stderr } = simulate(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain('npm run simulate -- --help shows the options.');
  },
  WITHIN_MS,
);

it(
  'tells its seed first and what came of it last, and the same to the same seed',
  () => {
    const runs = [1, 2].map(() => simulate('--seed', '7', '--days', '0.2', '--tenants', '1', '--desktops', '1'));
    const [first, second] = runs.map(({ status, stdout, stderr }) => {
      expect([status, stderr.split('\n')[0]]).toEqual([
        0,
        'seed 7: 0.2 days, 1 tenants, 1 desktops each, year intervals',
      ]);
      return JSON.parse(stdout);
    });
    expect(first).toMatchObject({ seed: 7, days: 0.2, tenants: 1, faults: 16, invariants: 'hold' });
    expect(first.P20).toBeGreaterThan(0);
    for (const count of ['actions', 'checkpoints', 'events', 'writes']) expect(second[count]).toBe(first[count]);
  },
  WITHIN_MS,
);
