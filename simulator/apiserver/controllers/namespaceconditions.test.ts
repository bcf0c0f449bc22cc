import { expect, it } from 'vitest';
import { CONFIGMAPS, ROLES } from '../../../kube/builtin.ts';
import { computeConditions, type Remainder } from './namespaceconditions.ts';

const T0 = '2026-01-01T00:00:00Z';
const T1 = '2026-01-01T00:00:05Z';
const EMPTY: Remainder = { kinds: [], finalizers: new Map(), errors: [] };

it('says in five conditions that all is well', () => {
  const conditions = computeConditions([], EMPTY, T0) ?? [];
  expect(conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`)).toEqual([
    'NamespaceDeletionDiscoveryFailure=False ResourcesDiscovered',
    'NamespaceDeletionGroupVersionParsingFailure=False ParsedGroupVersions',
    'NamespaceDeletionContentFailure=False ContentDeleted',
    'NamespaceContentRemaining=False ContentRemoved',
    'NamespaceFinalizersRemaining=False ContentHasNoFinalizers',
  ]);
  expect(computeConditions(conditions, EMPTY, T1)).toBeUndefined();
});

it('names what remains, sorted, and keeps the time of a status that stays', () => {
  const before = computeConditions([], EMPTY, T0) ?? [];
  const remainder: Remainder = {
    kinds: [
      { resource: ROLES, count: 2 },
      { resource: CONFIGMAPS, count: 1 },
    ],
    finalizers: new Map([
      ['sublet.dev/b', 1],
      ['sublet.dev/a', 2],
    ]),
    errors: ['second', 'first'],
  };
  const conditions = computeConditions(before, remainder, T1) ?? [];
  expect(conditions.map(({ message }) => message).slice(2)).toEqual([
    'Failed to delete all resource types, 2 remaining: first, second',
    'Some resources are remaining: configmaps. has 1 resource instances, roles.rbac.authorization.k8s.io has 2 resource instances',
    'Some content in the namespace has finalizers remaining: sublet.dev/a in 2 resource instances, sublet.dev/b in 1 resource instances',
  ]);
  expect(conditions.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual([T0, T0, T1, T1, T1]);
});

it('leaves foreign conditions where they are', () => {
  const foreign = { type: 'Mine', status: 'True', lastTransitionTime: T0, reason: 'R', message: '' } as const;
  expect(computeConditions([foreign], EMPTY, T1)?.[0]).toEqual(foreign);
});
