import { expect, test } from 'vitest';
import { type AcceptedFolder, computeShrink, renderShrink } from './shrink.ts';

const rule = { least: 3, percent: 5 };
const names = (count: number, prefix = 'r'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}/${index}`);
const folders = (count: number, resources: number): Map<string, AcceptedFolder> =>
  new Map(
    Array.from({ length: count }, (_, index) => [`t-${index}`, { count: resources, resources: names(resources) }]),
  );
const tree = (count: number, resources: number): Map<string, readonly string[] | 'kept'> =>
  new Map(Array.from({ length: count }, (_, index) => [`t-${index}`, names(resources)]));

test.each([
  { before: [100, 1], after: [95, 1], held: false, why: '5 of 100' },
  { before: [100, 1], after: [94, 1], held: true, why: '6 of 100' },
  { before: [10, 1], after: [7, 1], held: false, why: '3 of 10' },
  { before: [10, 1], after: [6, 1], held: true, why: '4 of 10' },
  { before: [119, 1], after: [114, 1], held: false, why: '5 of 119, at most 5' },
  { before: [119, 1], after: [113, 1], held: true, why: '6 of 119, at most 5' },
  { before: [3, 1], after: [0, 0], held: true, why: 'everything, though not more than 3' },
  { before: [1, 1], after: [0, 0], held: true, why: 'the only folder' },
  { before: [10, 100], after: [9, 100], held: true, why: 'one folder, a tenth of the resources' },
  { before: [0, 0], after: [0, 0], held: false, why: 'nothing before, nothing now' },
  { before: [0, 0], after: [50, 4], held: false, why: 'growth' },
] as const)('$why: held $held', ({ before, after, held }) => {
  expect(computeShrink(folders(before[0], before[1]), tree(after[0], after[1]), false, rule) !== undefined).toBe(held);
});

test('counts resources by name: as many others in their place are removals too', () => {
  const replaced = new Map([['t-0', names(10, 'other')]]);
  expect(computeShrink(folders(1, 10), replaced, false, rule)).toMatchObject({
    emptied: false,
    resources: { removed: 10, of: 10, most: 3 },
  });
});

test('with the archive lost only the stated count is left to compare', () => {
  const accepted = new Map([['t-0', { count: 10 }]]);
  expect(computeShrink(accepted, new Map([['t-0', names(10, 'other')]]), false, rule)).toBeUndefined();
  expect(computeShrink(accepted, new Map([['t-0', names(5)]]), false, rule)).toMatchObject({
    resources: { removed: 5, of: 10 },
  });
});

test('a folder that stays at its last good content removes nothing', () => {
  expect(computeShrink(folders(10, 10), tree(9, 10).set('t-9', 'kept'), false, rule)).toBeUndefined();
});

test('a folder that is there but empty counts as removed', () => {
  const emptied = tree(6, 1);
  for (const name of ['t-6', 't-7', 't-8', 't-9']) emptied.set(name, []);
  expect(computeShrink(folders(10, 1), emptied, false, rule)).toMatchObject({
    folders: { removed: 4, of: 10, most: 3 },
  });
});

test('an empty tree is held when tenants exist and nothing is known of what was accepted', () => {
  expect(computeShrink(new Map(), new Map(), true, rule)).toMatchObject({ emptied: true });
  expect(computeShrink(new Map(), tree(1, 1), true, rule)).toBeUndefined();
  expect(computeShrink(new Map([['sublet-root', { count: 0 }]]), new Map(), true, rule)).toBeUndefined();
});

test('says how many of how many and the exact command, safe to paste', () => {
  const shrink = computeShrink(folders(40, 2), tree(30, 2), false, rule);
  if (shrink === undefined) throw new Error('not held');
  const at = { namespace: 'sublet-fleet', name: 'fleet', annotation: 'sublet.dev/confirmed-revision' };
  expect(renderShrink(shrink, "it's;$(rm)@sha1:abc", at)).toBe(
    "revision it's;$(rm)@sha1:abc removes more than may go without asking: it removes 10 of 40 folders (without asking: 3) and 20 of 80 resources " +
      '(without asking: 4). Nothing of it is published. If it is not meant, revert the commit; if it is, confirm it: kubectl annotate --overwrite ' +
      "-n sublet-fleet gitrepositories.source.toolkit.fluxcd.io fleet 'sublet.dev/confirmed-revision=it'\\''s;$(rm)@sha1:abc'",
  );
});
