import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { findClass } from './classes/index.ts';
import { CONTEXT, readMutations } from './patches.ts';
import { findScenario } from './scenarios/index.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const MUTATIONS = readMutations();

it('has the rules that the sweep is measured by', () => {
  expect(MUTATIONS.length).toBeGreaterThanOrEqual(24);
});

it.each(MUTATIONS)('$name still applies, and is looked for where there is something', ({ file, look }) => {
  const { status, stderr } = spawnSync('git', ['apply', CONTEXT, '--check', file], { cwd: ROOT, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const { own } = findClass(look.class);
  if (own === undefined) findScenario(look.scenario);
  else expect(own).toContain(look.scenario);
});
