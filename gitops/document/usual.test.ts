import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { applyEdits } from '../change/apply.ts';
import { computeEdits } from '../change/compute.ts';
import { shapeOf } from '../change/shape.ts';
import { choices, renderStyled, usualPlan } from '../testing/styles.ts';
import { DEFAULT_FILE_LIMITS, parseAny, parseFile } from './parse.ts';
import { rewriteDocument } from './rewrite.ts';
import { parseUsual } from './usual.ts';

// Holds on a machine that is busy with much else.
vi.setConfig({ testTimeout: 200_000, hookTimeout: 120_000 });

const USUAL = `# yaml-language-server: $schema=x
apiVersion: sublet.dev/v1alpha1
kind: Plan
metadata:
  name: pro   # ours
  labels: {team: a, on-call: "yes"}
spec:
  title: 'Acme Pro'
  price:
  - name: base
    recurring: {amount: "28.00", interval: Month}

    # The disk.
  - {name: disk, tiers: [{from: "0"}]}
  desktop:
      vcpu: 4
      memory: 8Gi
      images:
        - ubuntu-24
        - windows-11 # costs more
      allow: [203.0.113.0/24, 10.0.0.1]
  power: Running
  image: ghcr.io/bob/shop:1.4.2
  flag: true
  empty: {}
`;

it('reads what is usual as the parser does', () => {
  const document = parseUsual(USUAL);
  const parsed = parseAny(USUAL, DEFAULT_FILE_LIMITS);
  expect(parsed).toMatchObject({ type: 'parsed' });
  if (parsed.type !== 'parsed') return;
  expect(document?.value).toEqual(parsed.values[0]);
  expect(document?.line).toBe(parsed.resources[0]?.line);
});

const HEAD = 'apiVersion: v1\nkind: Plan\nmetadata:\n  name: pro\n';

it.each([
  ...[
    'a: b: c',
    'a: b #c',
    'a: b#c',
    'a: "x" y',
    'a: "x"#c',
    'a: x\n  y',
    'a: |\n  x',
    'a: >-\n  x',
    'a: &b c',
    'a: *b',
    'a: !!str 1',
    'a: ~',
    'a:',
    'a: null',
  ],
  ...[
    'a: 1.5',
    'a: 1e3',
    'a: 0x1f',
    'a: 010',
    'a: 0o7',
    'a: 1_000',
    'a: 12:30:00',
    'a: -1',
    'a: +1',
    'a: .inf',
    'a: yes',
    'a: No',
    'a: TRUE',
    'a: 2026-11-26',
  ],
  ...[
    'a: {b}',
    'a: {b:1}',
    'a: {b: }',
    'a: {b: 1,}',
    'a: [,]',
    'a: [1 2]',
    'a: [1',
    'a: {b: 1}}',
    'a: {b: 1} x',
    'a: [a: b]',
    'a: {? b: 1}',
    'a: [x]y',
    'a: {b: c:d}',
  ],
  ...[
    'a: 1\na: 2',
    'a: 1\n  b: 2',
    'a: 1\n b: 2',
    '- a',
    'a:\n- b\n  c',
    'a:\n  - b\n - c',
    'a:\n    b: 1\n  c: 2',
    'a:\n  - - b',
    'a:\n  -\n    b: 1',
    'a:\n  - b:\n      c: 1\n    d: 1',
  ],
  ...[
    'a:\n  - b: 1\n     c: 2',
    'a:\n  - b: 1\n   c: 2',
    'a: "b\\n"',
    "a: 'it''s'",
    'a: "b\n  c"',
    '"a": 1',
    'a : 1',
    'a:1',
    'on: 1',
    '? a\n: b',
    '<<: {}',
    'a: @b',
    'a: `b',
    'a: %b',
    'a: "\u0007"',
  ],
  ...[
    'a:\tb',
    'a: b\r',
    '---\na: 1',
    'a: 1\n---\nb: 2',
    'a: 1\n...\n',
    '%YAML 1.2\n---\na: 1',
    '\ufeffa: 1',
    'a: 1\n# end',
    'a:\n# x\n  b: 1',
    'a: x  ',
    'a: x:',
    'a: x :y',
    "a: Bob's",
    'a: (x), y',
  ],
  ...[
    'a:\n  - {b: 1}\n  -   c: 2\n      d: 3',
    'a:\n  -   b\n  - c',
    'a: []',
    'a: {}',
    'a: [ ]',
    'a: { b: [ c, "d" ] }',
    "a: ['b', c]",
    'a: 123456789012345678',
    'a: 0',
    'a: 00',
    'a: 1Ki',
    'a: 0Gi',
    'a: __proto__',
  ],
  ...[
    '__proto__: 1',
    'constructor: 1',
    'a: "#"',
    "a: '#' # b",
    'a: - b',
    'a: -',
    'a: --- b',
    'a.b/c: 1',
    'a: x,y',
    'a: [x,y]',
    'a: [x/y, z.w]',
    'a:  # c\n  b: 1',
    'a: #c\n  b: 1',
    'a:#c\n  b: 1',
  ],
])('is the parser, or leaves it to the parser: %j', (spec) => {
  for (const text of [`${HEAD}spec:\n  ${spec.replaceAll('\n', '\n  ')}\n`, `${HEAD}${spec}\n`, `${HEAD}${spec}`]) {
    const parsed = parseAny(text, DEFAULT_FILE_LIMITS);
    const document = parseUsual(text);
    if (document === undefined) continue;
    expect(parsed, text).toMatchObject({ type: 'parsed', values: [document.value] });
    expect(JSON.stringify(document.value), text).toBe(
      JSON.stringify(parsed.type === 'parsed' ? parsed.values[0] : undefined),
    );
  }
});

it('is the parser for every text and every edit, or leaves it to the parser', () => {
  let usual = 0;
  fc.assert(
    fc.property(usualPlan, usualPlan, choices(), (seen, other, choose) => {
      const text = renderStyled(seen, choose);
      const [fast, slow] = [parseFile(text), parseAny(text, DEFAULT_FILE_LIMITS)];
      if (fast.type !== 'parsed' || slow.type !== 'parsed') {
        expect(fast).toEqual(slow);
        return;
      }
      expect(fast.values).toEqual(slow.values);
      if (parseUsual(text) === undefined) return;
      usual += 1;
      const [mine, its] = [fast.resources[0], slow.resources[0]];
      if (mine === undefined || its === undefined) throw new Error(text);
      const applied = applyEdits(mine.value, computeEdits(seen, other, 'Plan'));
      if (applied.type !== 'applied') return;
      const shape = shapeOf('Plan');
      expect(rewriteDocument(text, mine, applied.value, shape)).toBe(rewriteDocument(text, its, applied.value, shape));
    }),
    { numRuns: 300 },
  );
  expect(usual).toBeGreaterThan(100);
});
