import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { applyEdits } from '../change/apply.ts';
import { computeEdits } from '../change/compute.ts';
import { shapeOf } from '../change/shape.ts';
import type { FieldEdit, JsonMap } from '../intent.ts';
import { choices, planLike, renderStyled } from '../testing/styles.ts';
import { type ReadableFile, removeResource, replaceResource } from './edit.ts';
import { DEFAULT_FILE_LIMITS, parseFile, type ResourceDocument } from './parse.ts';
import { rewriteDocument } from './rewrite.ts';

// Holds on a machine that is busy with much else.
vi.setConfig({ testTimeout: 200_000, hookTimeout: 120_000 });

const HEAD = 'apiVersion: sublet.dev/v1alpha1\nkind: Plan\nmetadata:\n  name: pro\n';

function read(text: string): ReadableFile {
  const file = parseFile(text);
  if (file.type === 'unreadable') throw new Error(`line ${file.line}: ${file.message}\n${text}`);
  return file;
}

function documentOf(file: ReadableFile, name = 'pro'): ResourceDocument {
  const found = file.resources.find((resource) => resource.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

function wantedOf(document: ResourceDocument, edits: readonly FieldEdit[]): JsonMap {
  const applied = applyEdits(document.value, edits);
  if (applied.type === 'conflict') throw new Error(`a conflict: ${JSON.stringify(applied.differences)}`);
  return applied.value;
}

/** The text after the edits, and whether it took no rewriting of the whole document. */
function edit(
  text: string,
  edits: readonly FieldEdit[],
  name = 'pro',
): { readonly text: string; readonly isInPlace: boolean } {
  const file = read(text);
  const document = documentOf(file, name);
  const wanted = wantedOf(document, edits);
  const edited = replaceResource(file, document, wanted, shapeOf('Plan'), DEFAULT_FILE_LIMITS);
  if (edited.type !== 'edited') throw new Error(JSON.stringify(edited));
  return {
    text: edited.file.text,
    isInPlace: edited.file.text === rewriteDocument(text, document, wanted, shapeOf('Plan')),
  };
}

type Case = readonly [what: string, before: string, edits: readonly FieldEdit[], after: string];

const CASES: readonly Case[] = [
  ...['a', 'b', 'c'].map((gone): Case => {
    const lines = ['a', 'b', 'c'].map((name) => `    {name: ${name}}, # of ${name}\n`);
    const edits = [{ path: ['spec', 'price', { name: gone }], from: { name: gone } }];
    const left = lines.filter((line) => !line.includes(`{name: ${gone}}`));
    const render = (all: readonly string[]) => `spec:\n  price: [\n${all.join('')}  ]\n`;
    return [`a list in brackets over lines, without ${gone}`, render(lines), edits, render(left)];
  }),
  [
    'the end of a list in brackets, with no comma behind it',
    'spec:\n  price: [\n    {name: a}, # of a\n    {name: b} # of b\n  ]\n',
    [{ path: ['spec', 'price', { name: 'b' }], from: { name: 'b' } }],
    'spec:\n  price: [\n    {name: a}, # of a\n  ]\n',
  ],
  [
    'nothing, with a comment in its place',
    'spec:\n  title: # not yet\n  sla: # nor this\n  currency: USD\n',
    [
      { path: ['spec', 'title'], to: 'Pro' },
      { path: ['spec', 'sla'], to: { availability: '99.0' } },
    ],
    'spec:\n  title: Pro # not yet\n  sla: # nor this\n    availability: "99.0"\n  currency: USD\n',
  ],
  [
    'a scalar, with its quotes and the comment behind it',
    `spec:\n  title:   "Acme Pro"   # for people\n  currency: 'USD'\n  sla: {availability: "99.0"} # promised\n`,
    [
      { path: ['spec', 'title'], from: 'Acme Pro', to: 'Acme Max' },
      { path: ['spec', 'currency'], from: 'USD', to: 'EUR' },
      { path: ['spec', 'sla', 'availability'], from: '99.0', to: '99.9' },
    ],
    `spec:\n  title:   "Acme Max"   # for people\n  currency: 'EUR'\n  sla: {availability: "99.9"} # promised\n`,
  ],
  [
    'a plain scalar that becomes text which needs quotes',
    'spec:\n  title: Pro\n  count: 5\n',
    [
      { path: ['spec', 'title'], from: 'Pro', to: 'yes' },
      { path: ['spec', 'count'], from: 5, to: '5' },
    ],
    'spec:\n  title: "yes"\n  count: "5"\n',
  ],
  [
    'an item of a list by its key, wherever it stands',
    'spec:\n  price:\n  # The seat.\n  - name: seat\n    amount: "1.00"\n\n  - {name: disk, amount: "2.00"}   # a GiB\n',
    [
      { path: ['spec', 'price', { name: 'disk' }, 'amount'], from: '2.00', to: '3.00' },
      { path: ['spec', 'price', { name: 'seat' }, 'per'], to: 'Seat' },
    ],
    'spec:\n  price:\n  # The seat.\n  - name: seat\n    amount: "1.00"\n    per: Seat\n\n  - {name: disk, amount: "3.00"}   # a GiB\n',
  ],
  [
    'items added and removed, with the comment above what goes',
    'spec:\n  price:\n    # Old.\n    - name: a\n      x: 1\n    # Stays.\n    - name: b\n  # The end.\n  currency: USD\n',
    [
      { path: ['spec', 'price', { name: 'a' }], from: { name: 'a', x: 1 } },
      { path: ['spec', 'price', { name: 'c' }], to: { name: 'c', terms: { w: [1, 'on'] } } },
    ],
    'spec:\n  price:\n    # Stays.\n    - name: b\n    - name: c\n      terms:\n        w:\n          - 1\n          - "on"\n  # The end.\n  currency: USD\n',
  ],
  [
    'members added and removed in braces and brackets',
    'spec:\n  a: {x: 1, w: 2, z: 3}\n  b: [1, 2, 3] # list\n  c: { x: 1 }\n  d: {x: 1, w: 2}\n  e: {}\n',
    [
      { path: ['spec', 'a', 'w'], from: 2 },
      { path: ['spec', 'a', 'k'], to: { m: 'a: b' } },
      { path: ['spec', 'b'], from: [1, 2, 3], to: [2, 3] },
      { path: ['spec', 'c', 'w'], to: 2 },
      { path: ['spec', 'd', 'x'], from: 1 },
      { path: ['spec', 'e', 'x'], to: 1 },
    ],
    'spec:\n  a: {x: 1, z: 3, k: {m: "a: b"}}\n  b: [2, 3] # list\n  c: { x: 1, w: 2 }\n  d: {w: 2}\n  e:\n    x: 1\n',
  ],
  [
    'the last of a list or map, and the first of an empty one',
    'spec:\n  price:\n    - name: a\n  suspensions: []\n  terms:\n    x: 1\n  sla:\n  title: T\n',
    [
      { path: ['spec', 'price', { name: 'a' }], from: { name: 'a' } },
      { path: ['spec', 'suspensions', { reason: 'Abuse' }], to: { reason: 'Abuse' } },
      { path: ['spec', 'terms', 'x'], from: 1 },
      { path: ['spec', 'sla', 'availability'], to: '99' },
    ],
    'spec:\n  price: []\n  suspensions:\n    - reason: Abuse\n  terms: {}\n  sla:\n    availability: "99"\n  title: T\n',
  ],
  [
    'the first member beside a dash',
    'spec:\n  items:\n    - x: 1\n      # About w.\n      w: 2\n    - x: 3\n',
    [{ path: ['spec', 'items'], from: [{ x: 1, w: 2 }, { x: 3 }], to: [{ w: 2 }, { x: 4 }] }],
    'spec:\n  items:\n    - w: 2\n    - x: 4\n',
  ],
  [
    'a value of another type',
    'spec:\n  a: 1 # one\n  b:\n    c: 2\n  d:\n    - 1\n  e: [x]\n  f: |\n    text\n  g: 1\n',
    [
      { path: ['spec', 'a'], from: 1, to: { x: 1 } },
      { path: ['spec', 'b'], from: { c: 2 }, to: 'text' },
      { path: ['spec', 'd'], from: [1], to: { w: 1 } },
      { path: ['spec', 'e'], from: ['x'], to: 5 },
      { path: ['spec', 'f'], from: 'text\n', to: 'other' },
    ],
    'spec:\n  a: # one\n    x: 1\n  b: text\n  d:\n    w: 1\n  e: 5\n  f: other\n  g: 1\n',
  ],
  [
    'nothing but the place of an alias, when that is what changes',
    'spec:\n  a: &terms {x: 1}\n  b: *terms\n  c: *terms # here\n',
    [{ path: ['spec', 'c', 'x'], from: 1, to: 2 }],
    'spec:\n  a: &terms {x: 1}\n  b: *terms\n  c: {x: 2} # here\n',
  ],
  [
    'what has an anchor, and writes out who refers to it',
    'spec:\n  a: &terms\n    x: 1\n    w: &word on-call\n  b: *terms\n  c: [*word]\n',
    [{ path: ['spec', 'a', 'x'], from: 1, to: 2 }],
    'spec:\n  a: &terms\n    x: 2\n    w: &word on-call\n  b: {x: 1, w: on-call}\n  c: [*word]\n',
  ],
  [
    'what has an anchor and goes',
    'spec:\n  a: &word text\n  b: *word\n',
    [{ path: ['spec', 'a'], from: 'text' }],
    'spec:\n  b: text\n',
  ],
  [
    'the end of a file without a line break',
    'spec:\n  a: 1',
    [{ path: ['spec', 'b'], to: 2 }],
    'spec:\n  a: 1\n  b: 2\n',
  ],
  ['labels where there are none', 'spec: {}\n', [{ path: ['metadata', 'labels', 'team'], to: 'a' }], 'spec: {}\n'],
];

describe('an edit in place', () => {
  it.each(CASES)('changes %s', (what, before, edits, after) => {
    const head = what.startsWith('labels') ? `${HEAD}  labels:\n    team: a\n` : HEAD;
    const result = edit(`# Head.\n${HEAD}${before}`, edits);
    expect(result.text).toBe(`# Head.\n${head}${after}`);
    expect(result.isInPlace).toBe(true);
  });

  it('keeps line breaks of Windows', () => {
    const text = `${HEAD}spec:\n  a: 1\n  b: 2\n`.replaceAll('\n', '\r\n');
    const edits: readonly FieldEdit[] = [
      { path: ['spec', 'a'], from: 1, to: { x: 1 } },
      { path: ['spec', 'c'], to: 3 },
    ];
    expect(edit(text, edits).text).toBe(`${HEAD}spec:\n  a:\n    x: 1\n  b: 2\n  c: 3\n`.replaceAll('\n', '\r\n'));
  });

  it('touches one document of several', () => {
    const other = HEAD.replace('pro', 'max');
    const text = `---\n${other}spec: {a: 1} # first\n---\n# second\n${HEAD}spec:\n  a: 1\n...\n---\n${other.replace('max', 'min')}spec: {}\n`;
    expect(edit(text, [{ path: ['spec', 'b'], to: 2 }]).text).toBe(text.replace('  a: 1\n', '  a: 1\n  b: 2\n'));
  });

  it('writes a document anew where its style is not known, and keeps the others', () => {
    const other = `${HEAD.replace('pro', 'max')}spec: {a: 1} # first\n---\n`;
    const text = `${other}# about\n${HEAD}? spec\n: a: 1\n`;
    const { text: after, isInPlace } = edit(text, [{ path: ['spec', 'a'], from: 1, to: 2 }]);
    expect(after.startsWith(`${other}# about\n`)).toBe(true);
    expect(isInPlace || parse(after.slice(other.length)).spec.a === 2).toBe(true);
  });

  it('says what was meant, for every document and every edit', () => {
    let anew = 0;
    let all = 0;
    fc.assert(
      fc.property(planLike, planLike, choices(), (seen, other, choose) => {
        const text = renderStyled(seen, choose);
        const file = parseFile(text);
        fc.pre(file.type === 'parsed');
        const edits = computeEdits(seen, other, 'Plan');
        const result = edit(text, edits);
        expect(parse(result.text, { version: '1.2', schema: 'core' })).toEqual(
          parse(stringify(wantedOf(documentOf(read(text)), edits))),
        );
        all += 1;
        if (!result.isInPlace) anew += 1;
      }),
      { numRuns: 200 },
    );
    expect(all).toBeGreaterThan(100);
    expect(anew / all).toBeLessThan(0.02);
  });

  it('leaves every other line as it is when scalars change', () => {
    fc.assert(
      fc.property(planLike, choices(), fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), (seen, choose, picks) => {
        const text = renderStyled(seen, choose);
        const file = parseFile(text);
        fc.pre(file.type === 'parsed');
        const leaves = listLeaves(seen.spec ?? null, ['spec']);
        const paths = [...new Set(picks.map((pick) => pick % leaves.length))].map((index) => leaves[index] ?? []);
        const edits = paths.map((path): FieldEdit => ({ path, from: valueAt(seen, path), to: 'changed' }));
        const [before, after] = [text.split('\n'), edit(text, edits).text.split('\n')];
        expect(after).toHaveLength(before.length);
        expect(after.filter((line, index) => line !== before[index]).length).toBeLessThanOrEqual(edits.length);
      }),
      { numRuns: 150 },
    );
  });
});

/** Paths to scalars that go through maps only. */
function listLeaves(value: unknown, path: readonly string[]): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  if (Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => listLeaves(member, [...path, name]));
}

function valueAt(value: JsonMap, path: readonly string[]) {
  return path.reduce<JsonMap[string] | undefined>((at, name) => {
    const isMap = typeof at === 'object' && at !== null && !Array.isArray(at);
    return isMap ? (at as JsonMap)[name] : undefined;
  }, value);
}

describe('the removal of a document', () => {
  const named = (name: string) => `${HEAD.replace('pro', name)}spec: {}\n`;
  const remove = (text: string, name: string) => {
    const file = read(text);
    const edited = removeResource(file, documentOf(file, name), DEFAULT_FILE_LIMITS);
    return edited.type === 'edited' ? edited.file.text : edited.type;
  };
  const three = `# A.\n${named('a')}---\n# B.\n${named('b')}---\n${named('c')}# End.\n`;

  it('takes it with the comments that belong to it', () => {
    expect(remove(three, 'a')).toBe(`---\n# B.\n${named('b')}---\n${named('c')}# End.\n`);
    expect(remove(three, 'b')).toBe(`# A.\n${named('a')}---\n${named('c')}# End.\n`);
    expect(remove(three, 'c')).toBe(`# A.\n${named('a')}---\n# B.\n${named('b')}`);
  });

  it('leaves no file where nothing is left', () => {
    expect(remove(`# Alone.\n${named('a')}---\n# nothing\n`, 'a')).toBe('emptied');
  });

  it('keeps what is no resource', () => {
    expect(remove(`${named('a')}---\n[1, 2]\n`, 'a')).toBe('---\n[1, 2]\n');
  });
});
