import { describe, expect, it } from 'vitest';
import type { Condition } from '../crds/v1alpha1/conditions.ts';
import type { FluxObject } from './context.ts';
import { onFluxChange, onSpecChange } from './predicates.ts';

function object(generation: number, ...conditions: readonly Partial<Condition>[]): FluxObject {
  const common = {
    type: 'Ready',
    status: 'True',
    reason: 'R',
    message: 'm',
    lastTransitionTime: '',
    observedGeneration: 1,
  };
  return {
    apiVersion: 'v1',
    kind: 'Kustomization',
    metadata: { name: 'a', generation },
    status: { conditions: conditions.map((one) => ({ ...common, ...one }) as Condition) },
  };
}

const good = object(1, {});
const { status: _, ...bare } = good;
const bad = object(1, { status: 'False', message: 'no such branch' });
const busy = object(1, { status: 'Unknown', reason: 'Progressing' });
const retrying = object(1, { status: 'Unknown' }, { type: 'FetchFailed', message: 'no such branch' });

describe('onSpecChange', () => {
  it.each<[string, FluxObject, FluxObject, boolean]>([
    ['a changed spec', good, object(2, {}), true],
    ['a changed status', good, bad, false],
    ['a lost status', good, bare, true],
    ['a first status', bare, good, false],
  ])('lets pass, or not: %s', (_, old, next, passes) => {
    expect(onSpecChange.onUpdate?.(old, next)).toBe(passes);
  });
});

describe('onFluxChange', () => {
  it.each<[string, FluxObject, FluxObject, boolean]>([
    ['a changed spec', good, object(2, {}), true],
    ['a failure', good, bad, true],
    ['another failure', bad, object(1, { status: 'False', message: 'no such path' }), true],
    ['a success at last', busy, good, true],
    ['the beginning of work', good, busy, false],
    ['the beginning of a new try', bad, busy, false],
    [
      'the same failure',
      bad,
      object(1, { status: 'False', message: 'no such branch', lastTransitionTime: 'later' }),
      false,
    ],
    [
      'a failure that is kept',
      retrying,
      object(1, { status: 'False' }, { type: 'FetchFailed', message: 'no such branch' }),
      false,
    ],
    ['another revision', good, object(1, { message: 'stored artifact for another revision' }), false],
    ['a success with another spec', good, object(1, { observedGeneration: 2 }), true],
  ])('%s', (_, old, next, passes) => {
    expect(onFluxChange.onUpdate?.(old, next)).toBe(passes);
  });
});
