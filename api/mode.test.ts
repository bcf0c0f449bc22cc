import { describe, expect, it } from 'vitest';
import type { Intent } from '../gitops/intent.ts';
import { ApiConfig } from './config.ts';
import { chooseMode, countFields } from './mode.ts';

const target = (kind: string) => ({ kind, namespace: 't-acme', name: 'x' });
const edit = (kind: string, ...edits: readonly (readonly [from: string | undefined, to: string | undefined])[]) =>
  ({
    type: 'Edit',
    target: target(kind),
    edits: edits.map(([from, to], index) => ({ path: ['spec', `f${index}`], from, to })),
  }) satisfies Intent;
const remove: Intent = { type: 'Delete', target: target('Plan') };
const create: Intent = {
  type: 'Create',
  target: target('Plan'),
  object: { metadata: { labels: { a: 'b' } }, spec: { title: 'A', price: [{ name: 'base', amount: '1' }], tags: [] } },
};

const parse = (modes: unknown) => ApiConfig.parse({ publicUrl: 'https://api.example.com', modes }).modes;
const choose = (modes: unknown, path: string | undefined, intent: Intent) => chooseMode(parse(modes), { path, intent });

describe('the mode of a change', () => {
  it('is a commit where no rule fits', () => {
    expect(choose([], 'acme', remove)).toBe('Commit');
    expect(choose([{ kinds: ['Quota'], mode: 'PullRequest' }], 'acme', remove)).toBe('Commit');
  });

  it('goes by the tenant and those below it', () => {
    const rules = [{ tenant: 'acme', mode: 'PullRequest' }];
    expect(['acme', 'acme--bob', 'acme-two', 'zed', undefined].map((path) => choose(rules, path, remove))).toEqual([
      'PullRequest',
      'PullRequest',
      'Commit',
      'Commit',
      'Commit',
    ]);
  });

  it('goes by kind, operation and size, and by the first rule that fits', () => {
    const rules = [
      { kinds: ['RDPInstance'], mode: 'Commit' },
      { operations: ['Delete'], mode: 'PullRequest' },
      { minFields: 3, mode: 'PullRequest' },
    ];
    const small = edit('Plan', ['a', 'b'], [undefined, 'c']);
    const large = edit('Plan', ['a', 'b'], [undefined, 'c'], ['d', undefined]);
    expect([small, large, remove, create].map((intent) => choose(rules, 'acme', intent))).toEqual([
      'Commit',
      'PullRequest',
      'PullRequest',
      'PullRequest',
    ]);
    expect(choose(rules, 'acme', edit('RDPInstance', ['1', '2'], ['3', '4'], ['5', '6']))).toBe('Commit');
  });

  it('counts values, and a removal as more than any number', () => {
    expect(countFields(create)).toBe(4);
    expect(countFields(edit('Plan', ['a', undefined]))).toBe(1);
    expect(countFields(remove)).toBe(Number.POSITIVE_INFINITY);
    expect(choose([{ minFields: 10_000, mode: 'PullRequest' }], 'acme', remove)).toBe('PullRequest');
  });

  it.each([[{ kinds: [] }], [{ operations: ['Move'] }], [{ minFields: 0 }], [{ size: 3 }]])('refuses %j', (rule) => {
    expect(() => parse([{ ...rule, mode: 'PullRequest' }])).toThrow();
  });
});
