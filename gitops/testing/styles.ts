import fc from 'fast-check';
import type { Json, JsonMap } from '../intent.ts';
import { renderInline } from '../render.ts';

/** Draws the next choice, below `count`. */
export type Choose = (count: number) => number;

/** YAML as people write it: the same value in blocks and in braces, indented this way and that, in any quotes, with comments and blank lines. */
export function renderStyled(value: JsonMap, choose: Choose): string {
  const lines = renderBlock(value, '', choose, 0);
  const head = choose(3) === 0 ? ['# A file of ours.', ''] : [];
  return `${[...head, ...lines].join('\n')}\n`;
}

function renderBlock(value: Json, indent: string, choose: Choose, depth: number): readonly string[] {
  const step = ' '.repeat(choose(4) === 0 ? 4 : 2);
  if (Array.isArray(value)) {
    const items: readonly Json[] = value;
    return items.flatMap((item) => [
      ...decorate(indent, choose),
      ...(isNested(item) && choose(3) > 0
        ? asItem(renderBlock(item, `${indent}${step}`, choose, depth + 1), indent, step)
        : [`${indent}- ${renderFlow(item, choose, 'block')}${trailing(choose)}`]),
    ]);
  }
  return Object.entries(isObject(value) ? value : {}).flatMap(([name, member]) => {
    const key = `${indent}${renderInline(name, 'block', pickKeyQuote(choose))}:`;
    const before = depth === 0 && name === 'apiVersion' ? [] : decorate(indent, choose);
    if (!isNested(member) || choose(3) === 0)
      return [...before, `${key} ${renderFlow(member, choose, 'block')}${trailing(choose)}`];
    const inner = Array.isArray(member) && choose(2) === 0 ? indent : `${indent}${step}`;
    return [...before, `${key}${trailing(choose)}`, ...renderBlock(member, inner, choose, depth + 1)];
  });
}

/** The first line of a nested collection goes behind the dash; comments before it go above. */
function asItem(lines: readonly string[], indent: string, step: string): readonly string[] {
  const first = lines.findIndex((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  const head = lines.slice(0, first).map((line) => (line.trim() === '' ? '' : `${indent}${line.trim()}`));
  const [line = '', ...rest] = lines.slice(first);
  return [...head, `${indent}-${step.slice(1)}${line.slice(indent.length + step.length)}`, ...rest];
}

function renderFlow(value: Json, choose: Choose, context: 'block' | 'flow'): string {
  const space = choose(2) === 0 ? ' ' : '';
  if (Array.isArray(value))
    return wrap(
      '[',
      value.map((item) => renderFlow(item, choose, 'flow')),
      ']',
      space,
    );
  if (isObject(value)) {
    const members = Object.entries(value).map(
      ([name, member]) => `${renderInline(name, 'flow', pickKeyQuote(choose))}: ${renderFlow(member, choose, 'flow')}`,
    );
    return wrap('{', members, '}', space);
  }
  return renderInline(value, context, pickQuote(choose));
}

function wrap(open: string, parts: readonly string[], close: string, space: string): string {
  return parts.length === 0 ? `${open}${close}` : `${open}${space}${parts.join(', ')}${space}${close}`;
}

function decorate(indent: string, choose: Choose): readonly string[] {
  const choice = choose(8);
  if (choice === 0) return [''];
  return choice === 1 ? [`${indent}# note ${choose(1000)}`] : [];
}

function trailing(choose: Choose): string {
  return choose(6) === 0 ? `  # said ${choose(1000)}` : '';
}

function pickQuote(choose: Choose): 'plain' | 'single' | 'double' {
  return (['plain', 'plain', 'single', 'double'] as const)[choose(4)] ?? 'plain';
}

function pickKeyQuote(choose: Choose): 'plain' | 'single' | 'double' {
  return choose(16) === 0 ? pickQuote(choose) : 'plain';
}

function isNested(value: Json): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

function isObject(value: Json): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Choices from a seed, so that a failure is small and can be replayed. */
export function choices(): fc.Arbitrary<Choose> {
  return fc.infiniteStream(fc.nat()).map((stream) => (count) => (stream.next().value ?? 0) % count);
}

const WORDS = [
  'base',
  'disk',
  'on',
  '007',
  '12:30:00',
  '1e3',
  'a: b',
  '#x',
  'Bob’s',
  '',
  ' pad ',
  '8Gi',
  'true',
  '-',
  'ü\n2',
];

const scalar: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom(...WORDS),
  fc.integer({ min: -5, max: 5 }),
  fc.boolean(),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);

const name = fc.constantFrom('base', 'disk', 'net', 'seat');
const tree = fc.letrec<{ value: Json; map: JsonMap }>((tie) => ({
  map: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'on', 'x y', '__proto__', '1'), tie('value'), { maxKeys: 4 }),
  value: fc.oneof({ depthSize: 'small' }, scalar, tie('map'), fc.array(tie('value'), { maxLength: 4 })),
}));

/** A Plan by its outline, with lists that are maps by key, lists that are not, and members that no schema knows. */
export const planLike: fc.Arbitrary<JsonMap> = fc
  .record(
    {
      labels: fc.dictionary(fc.constantFrom('team', 'tier', 'on'), fc.constantFrom('a', 'b', 'no'), { maxKeys: 3 }),
      title: scalar,
      price: fc.uniqueArray(fc.record({ name, amount: scalar, terms: tree.value }, { requiredKeys: ['name'] }), {
        selector: (item) => item.name,
        maxLength: 4,
      }),
      images: fc.array(fc.constantFrom('ubuntu-24', 'windows-11', 'on', 'debian'), { maxLength: 4 }),
      other: tree.value,
    },
    { requiredKeys: [] },
  )
  .map(({ labels, title, price, images, other }) => ({
    apiVersion: 'sublet.dev/v1alpha1',
    kind: 'Plan',
    metadata: { name: 'pro', ...(labels === undefined ? {} : { labels }) },
    spec: {
      ...(title === undefined ? {} : { title }),
      ...(price === undefined ? {} : { price }),
      desktop: { ...(images === undefined ? {} : { images }), vcpu: 2 },
      ...(other === undefined ? {} : { other }),
    },
  }));

const word = fc.constantFrom('base', 'Acme Pro', '8Gi', '203.0.113.0/24', 'oidc:anna', "Bob's", 'on', '28.00', 'it is');
const terms = fc.dictionary(
  fc.constantFrom('amount', 'interval', 'a.b/c'),
  fc.oneof(word, fc.nat(1000), fc.boolean()),
  {
    maxKeys: 3,
  },
);

/** A Plan as most are. */
export const usualPlan: fc.Arbitrary<JsonMap> = fc
  .record({
    title: word,
    price: fc.uniqueArray(fc.record({ name, per: word, terms }, { requiredKeys: ['name'] }), {
      selector: (item) => item.name,
      maxLength: 3,
    }),
    images: fc.array(word, { maxLength: 3 }),
    more: fc.array(fc.oneof(word, terms), { maxLength: 3 }),
  })
  .map(({ title, price, images, more }) => ({
    apiVersion: 'sublet.dev/v1alpha1',
    kind: 'Plan',
    metadata: { name: 'pro' },
    spec: { title, price, desktop: { images, vcpu: 2 }, more },
  }));
