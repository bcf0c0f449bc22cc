import { describe, expect, it } from 'vitest';
import type { FieldEdit, Intent, Step } from '../intent.ts';
import { remainingEdits, supersedes } from './overlap.ts';

const TARGET = { kind: 'Plan', namespace: 't-acme', name: 'pro' };
const edit = (...paths: readonly (readonly Step[])[]): Intent & { readonly edits: readonly FieldEdit[] } => ({
  type: 'Edit',
  target: TARGET,
  edits: paths.map((path) => ({ path, to: 1 })),
});
const remove: Intent = { type: 'Delete', target: TARGET };

describe('a later change', () => {
  it.each<readonly [string, Intent, Intent, boolean]>([
    ['the same field', edit(['spec', 'title']), edit(['spec', 'title']), true],
    ['another field', edit(['spec', 'title']), edit(['spec', 'currency']), false],
    ['what the field lies in', edit(['spec', 'sla']), edit(['spec', 'sla', 'availability']), true],
    ['a part of the field', edit(['spec', 'sla', 'availability']), edit(['spec', 'sla']), false],
    ['one of two fields', edit(['spec', 'title']), edit(['spec', 'title'], ['spec', 'currency']), false],
    [
      'the same item of a list',
      edit(['spec', 'price', { name: 'base' }]),
      edit(['spec', 'price', { name: 'base' }, 'per']),
      true,
    ],
    [
      'another item of a list',
      edit(['spec', 'price', { name: 'disk' }]),
      edit(['spec', 'price', { name: 'base' }]),
      false,
    ],
    ['a field whose name begins alike', edit(['spec', 'titles']), edit(['spec', 'title']), false],
    ['the removal of the resource', remove, edit(['spec', 'title']), true],
    ['an edit after a removal', edit(['spec', 'title']), remove, false],
    ['an edit of what was created', edit(['spec', 'title']), { type: 'Create', target: TARGET, object: {} }, false],
    ['another resource', { type: 'Delete', target: { ...TARGET, name: 'basic' } }, edit(['spec', 'title']), false],
  ])('of %s supersedes accordingly', (_, later, former, expected) => {
    expect(supersedes(later, former)).toBe(expected);
  });

  it('leaves over the fields that it did not touch', () => {
    const former = edit(['spec', 'title'], ['spec', 'sla', 'availability'], ['metadata', 'labels', 'team']).edits;
    const rest = (later: Intent) => remainingEdits(later, former, TARGET).map(({ path }) => path.join('.'));
    expect(rest(edit(['spec', 'title']))).toEqual(['spec.sla.availability', 'metadata.labels.team']);
    expect(rest(edit(['spec', 'sla']))).toEqual(['spec.title', 'metadata.labels.team']);
    expect(rest(remove)).toEqual([]);
    expect(rest({ ...remove, target: { ...TARGET, kind: 'Quota' } })).toHaveLength(3);
  });
});
