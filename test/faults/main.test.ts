import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { CALLS, ERRORS, errors } from './classes/errors.ts';
import { SCENARIOS } from './scenarios/index.ts';

const MAIN = path.join(import.meta.dirname, 'main.ts');
const WITHIN_MS = 300_000;

it.each([
  [['--at', '3:before'], '--at names one point: give the --class and the --scenario that it belongs to'],
  [['--class', 'crash,told', '--scenario', 'tenant', '--at', 'calm'], '--at names one point'],
  [['--class', 'rain'], 'there is no class rain'],
  [['--scenario', 'rain'], 'there is no scenario rain'],
  [['--every', '0'], '--every: 0 is no whole number from 1'],
])(
  'refuses %j',
  (args, message) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  },
  WITHIN_MS,
);

it(
  'has a point for every cell of the error matrix',
  async () => {
    const found = new Set<string>();
    for (const { name } of SCENARIOS) for (const { at } of await errors.enumerate(name, 1)) found.add(at);
    const cells = CALLS.flatMap((call) => ERRORS.map((error) => `${error}:${call}`));
    expect([...found].toSorted()).toEqual(cells.toSorted());
  },
  WITHIN_MS,
);
