import { expect, test } from 'vitest';
import { type AcceptedArtifact, computePlan, type FolderVerdict, holdAll, type PlanInput } from './plan.ts';

const EMPTY = { digest: 'sha256:empty', sizeBytes: 10 };
const good = (digest: string, ...resources: string[]): FolderVerdict => ({
  ok: true,
  digest,
  sizeBytes: 100,
  resources,
});
const bad: FolderVerdict = {
  ok: false,
  violations: [{ file: 'a.yaml', line: 3, rule: 'image', message: 'no such image' }],
};
const accepted = (digest: string, resources: readonly string[], isStored = true): AcceptedArtifact => ({
  digest,
  count: resources.length,
  resources,
  isStored,
});

function plan(input: Partial<PlanInput>) {
  return computePlan({
    revision: 'main@sha1:2222',
    confirmed: undefined,
    repository: { namespace: 'sublet-fleet', name: 'fleet', annotation: 'sublet.dev/confirmed-revision' },
    verdicts: new Map(),
    expected: new Set(['sublet-root']),
    elsewhere: new Set(),
    accepted: new Map(),
    empty: EMPTY,
    tenantsExist: false,
    tenantsKnown: true,
    shrinkRule: { least: 3, percent: 5 },
    ...input,
  });
}

test('accepted folders are published, and so is the root when the tree has none', () => {
  const { states, removals, revisionHeld } = plan({ verdicts: new Map([['t-acme', good('sha256:a', 'Plan/p')]]) });
  expect(Object.fromEntries(states)).toMatchObject({
    't-acme': { state: 'published', digest: 'sha256:a', resources: ['Plan/p'] },
    'sublet-root': { state: 'published', digest: 'sha256:empty', resources: [] },
  });
  expect([removals, revisionHeld]).toEqual([[], undefined]);
});

test('a folder that vanished is published empty while its tenant exists, and removed after', () => {
  const before = new Map([
    ['sublet-root', accepted('sha256:r', ['Tenant/acme', 'Plan/p'])],
    ['t-acme', accepted('sha256:a', ['RDPInstance/d'])],
  ]);
  const verdicts = new Map([['sublet-root', good('sha256:r', 'Tenant/acme', 'Plan/p')]]);
  const there = plan({ accepted: before, verdicts, expected: new Set(['sublet-root', 't-acme']), tenantsExist: true });
  expect(there.states.get('t-acme')).toMatchObject({ state: 'published', digest: 'sha256:empty' });
  expect(there.removals).toEqual([]);
  const gone = plan({ accepted: before, verdicts });
  expect(gone.states.has('t-acme')).toBe(false);
  expect(gone.removals).toEqual(['t-acme']);
  expect(plan({ accepted: before, verdicts, tenantsKnown: false }).removals).toEqual([]);
});

test('a folder that never was is published empty when its tenant is expected', () => {
  const { states } = plan({
    expected: new Set(['sublet-root', 't-new']),
    verdicts: new Map([['sublet-root', good('sha256:r', 'Tenant/new')]]),
  });
  expect(states.get('t-new')).toMatchObject({ state: 'published', resources: [] });
});

test('a bad folder is held with file, line and rule, and the others go on', () => {
  const verdicts = new Map([
    ['t-a', bad],
    ['t-b', good('sha256:b2', 'RDPInstance/d')],
  ]);
  const before = new Map([
    ['t-a', accepted('sha256:a', ['RDPInstance/d'])],
    ['t-b', accepted('sha256:b', ['RDPInstance/d'])],
  ]);
  const { states } = plan({ verdicts, accepted: before });
  expect(states.get('t-a')).toEqual({
    state: 'held',
    reason: 'Held',
    message: 'the folder is not accepted; its last good content stays\na.yaml:3: image: no such image',
  });
  expect(states.get('t-b')).toMatchObject({ state: 'published', digest: 'sha256:b2' });
});

test('a bad folder says when nothing was published before, and when the last good content is lost', () => {
  const verdicts = new Map([['t-a', bad]]);
  expect(plan({ verdicts }).states.get('t-a')).toMatchObject({
    reason: 'Held',
    message: expect.stringContaining('nothing was published from this folder before'),
  });
  const before = new Map([['t-a', accepted('sha256:a', ['RDPInstance/d'], false)]]);
  expect(plan({ verdicts, accepted: before }).states.get('t-a')).toMatchObject({
    reason: 'ArtifactLost',
    message: expect.stringMatching(/lost from the volume and cannot be rebuilt[\s\S]*a\.yaml:3: image/),
  });
});

test('a revision that removes too much moves nothing but the root condition, until exactly it is confirmed', () => {
  const before = new Map(
    Array.from({ length: 10 }, (_, i) => [`t-${i}`, accepted(`sha256:${i}`, ['RDPInstance/d'], i !== 7)]),
  );
  const verdicts = new Map([['t-0', good('sha256:new', 'RDPInstance/d')]]);
  const input = {
    accepted: before,
    verdicts,
    expected: new Set(['sublet-root', ...before.keys()]),
    tenantsExist: true,
  };
  const held = plan(input);
  expect(held.revisionHeld).toContain('removes 9 of 10 folders (without asking: 3) and 9 of 10 resources');
  expect([...held.states.keys()].sort()).toEqual(['sublet-root', 't-7']);
  expect(held.states.get('sublet-root')).toMatchObject({
    state: 'held',
    reason: 'RevisionHeld',
    message: held.revisionHeld,
  });
  expect(held.states.get('t-7')).toMatchObject({ reason: 'ArtifactLost' });
  expect(plan({ ...input, confirmed: 'main@sha1:1111' }).revisionHeld).toBeDefined();
  const confirmed = plan({ ...input, confirmed: 'main@sha1:2222' });
  expect(confirmed.revisionHeld).toBeUndefined();
  expect(confirmed.states.get('t-5')).toMatchObject({ state: 'published', digest: 'sha256:empty' });
});

test('a refused revision says so on the root and moves nothing', () => {
  const states = holdAll(new Map([['t-a', accepted('sha256:a', ['x'])]]), 'RevisionRefused', 'entries: too many');
  expect([...states]).toEqual([
    ['sublet-root', { state: 'held', reason: 'RevisionRefused', message: 'entries: too many' }],
  ]);
});

test('a folder whose tenant has a repository of its own goes without asking, and is no reason to take a tree for filled', () => {
  const desks = Array.from({ length: 9 }, (_, index) => `RDPInstance/d${index}`);
  const before = new Map([
    ['sublet-root', accepted('sha256:r', ['Tenant/acme'])],
    ['t-acme', accepted('sha256:a', desks)],
  ]);
  const verdicts = new Map([['sublet-root', good('sha256:r', 'Tenant/acme')]]);
  const moved = { accepted: before, tenantsExist: true, elsewhere: new Set(['t-acme']) };
  expect(plan({ ...moved, verdicts })).toMatchObject({ removals: ['t-acme'], revisionHeld: undefined });
  expect(plan({ accepted: before, tenantsExist: true, verdicts }).revisionHeld).toMatch(/and 9 of 10 resources/);
  const emptied = plan({ ...moved, verdicts: new Map([['t-acme', bad]]) });
  expect(emptied.revisionHeld).toMatch(/empties the tree/);
});
