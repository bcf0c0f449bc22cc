import { describe, expect, it } from 'vitest';
import { createMemoryRemote } from '../../git/memory/remote.ts';
import type { Intent } from '../../gitops/intent.ts';
import type { Change } from '../../gitops/journal.ts';
import { findLies } from './orders.ts';
import { BRANCH } from './repository.ts';
import { runScenario } from './run.ts';

const PERSON = { name: 'Anna', email: 'anna@example.com' };
const PATH = 'tenants/production/t-bob/desk.yaml';
const TARGET = { kind: 'RDPInstance', namespace: 't-bob', name: 'desk' };

function render(power: string): string {
  return `kind: RDPInstance\nmetadata: {name: desk}\nspec: {power: ${power}, plan: basic}\n`;
}

/** A branch that a change was committed on at second 2, and another commit at second 4. */
function tell(intent: Intent, what: { readonly made: string | null; readonly after: string | null | undefined }) {
  const remote = createMemoryRemote();
  const id = `I${'1'.repeat(40)}`;
  const write = (second: number, content: string | null, message: string): string =>
    remote.write(BRANCH, {
      author: PERSON,
      committer: PERSON,
      atMs: second * 1_000,
      message,
      files: new Map([[PATH, content]]),
    });
  write(1, render('Running'), 'Begin');
  const commit = write(2, what.made, `Order\n\nChange-Id: ${id}\n`);
  if (what.after !== undefined) write(4, what.after, 'By hand');
  const end = (second: number): readonly string[] => {
    const change: Change = {
      ...{ id, repository: 'fleet', intent, mode: 'Commit', requestId: id, sequence: 1n, commit },
      ...{ author: { subject: 'oidc:anna', ...PERSON }, acceptedAtMs: 1_000, updatedAtMs: second * 1_000 },
      ...{ state: 'Superseded', reason: 'Overwritten', message: 'somebody else set these fields since' },
    };
    return findLies({ remote }, [change]);
  };
  return { end };
}

const STOP: Intent = {
  type: 'Edit',
  target: TARGET,
  edits: [{ path: ['spec', 'power'], from: 'Running', to: 'Stopped' }],
};
const MAKE: Intent = {
  type: 'Create',
  target: TARGET,
  object: { kind: 'RDPInstance', metadata: { name: 'desk' }, spec: { power: 'Stopped', plan: 'basic' } },
};
const REMOVE: Intent = { type: 'Delete', target: TARGET };

describe('the judge of orders', () => {
  it.each([
    { intent: STOP, made: render('Stopped'), same: `# stays\n${render('Stopped')}`, other: render('Running') },
    { intent: MAKE, made: render('Stopped'), same: `# stays\n${render('Stopped')}`, other: null },
    { intent: REMOVE, made: null, same: undefined, other: render('Running') },
  ])('takes a change for overwritten only when somebody wrote otherwise before ($intent.type)', (said) => {
    const { intent, made, same, other } = said;
    for (const after of [undefined, same])
      expect(tell(intent, { made, after }).end(9)).toMatchObject([expect.stringContaining('nobody set them')]);
    expect(tell(intent, { made, after: other }).end(9)).toEqual([]);
    expect(tell(intent, { made, after: other }).end(3)).toHaveLength(1);
  });
});

describe('orders of a simulated life', () => {
  it('wait for a fleet source that is down, and none is called overwritten', { timeout: 1_200_000 }, async () => {
    const result = await runScenario({
      ...{ seed: 11, days: 1, tenants: 3, desktops: 2, intervals: 'year', engine: true },
      ...{ faults: ['kill-source'], deedsADay: 60, faultsADay: 80, actions: 53 },
    });
    expect(result.problems).toEqual([]);
    expect(result.changes?.Ready).toBeGreaterThan(20);
  });
});
