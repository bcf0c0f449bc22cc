import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recurring, SMALL_FLEET, yaml } from '../testing/fleet.ts';
import { diffFleets, type FleetDiff } from './diff.ts';
import { lintFleet } from './lint.ts';
import { renderDiff, renderMarkdown } from './renderdiff.ts';
import { renderAnnotation, renderFinding } from './renderfindings.ts';
import type { FleetTree } from './tree.ts';

const breathe = async (): Promise<void> => {};
const plain = (_color: string, text: string): string => text;

/** A tree in memory; paths are below `tenants/staging/`. */
function buildTree(files: Readonly<Record<string, string | Uint8Array>>): FleetTree {
  const contents = new Map(
    Object.entries(files).map(([name, content]) => [
      `tenants/staging/${name}`,
      typeof content === 'string' ? Buffer.from(content) : content,
    ]),
  );
  return {
    files: [...contents].map(([path, bytes]) => ({ path, validName: true, sizeBytes: bytes.length })),
    leftOut: [],
    read: async (paths) => new Map(paths.map((path) => [path, contents.get(path) ?? new Uint8Array()])),
  };
}

const lint = (tree: FleetTree) => lintFleet(tree, { only: undefined, allowedGitHosts: [], breathe });
const diff = (before: FleetTree, after: FleetTree): Promise<FleetDiff> =>
  diffFleets(before, after, { only: undefined, breathe });

const NAMES = Object.keys(SMALL_FLEET);
const TEXTS = Object.values(SMALL_FLEET);

/** A good fleet in which some files hold anything: bytes, cut texts, texts with a piece of another, values of the wrong type. */
const broken = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        ...NAMES,
        't-acme--bob/x.yaml',
        't-zoe/y.yml',
        'sublet-root/kustomization.yaml',
        'loose.yaml',
        'T-A/z.yaml',
      ),
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.string({ unit: 'grapheme', maxLength: 200 }),
        fc.tuple(fc.constantFrom(...TEXTS), fc.nat(400)).map(([text, at]) => text.slice(0, at)),
        fc
          .tuple(
            fc.constantFrom(...TEXTS),
            fc.nat(400),
            fc.constantFrom('null', '[]', '{}', '-1', '1e999', '"\\u0000"', '*a', '&a ', '!!js ', '\t', '\u2028'),
          )
          .map(([text, at, piece]) => text.slice(0, at) + piece + text.slice(at)),
        fc.json({ maxDepth: 4 }),
      ),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((changes) => ({ ...SMALL_FLEET, ...Object.fromEntries(changes) }));

/** A good fleet of which prices, seats, power and numbers differ. */
const good = fc
  .record({
    desktops: fc.uniqueArray(
      fc.record({
        name: fc.constantFrom('a', 'b', 'c', 'd'),
        plan: fc.constantFrom('pro', 'eco'),
        power: fc.constantFrom('Running', 'Stopped'),
      }),
      { selector: ({ name }) => name },
    ),
    amounts: fc.tuple(fc.nat(9_999), fc.nat(9_999), fc.nat(9_999)),
    members: fc.nat(3),
    isSuspended: fc.boolean(),
  })
  .map(({ desktops, amounts: [base, hours, fee], members, isSuspended }) => {
    const money = (cents: number): string => (cents / 100).toFixed(2);
    const people = Array.from({ length: members }, (_, index) => ({
      kind: 'User',
      name: `oidc:u${index}`,
      role: 'Viewer',
    }));
    return {
      ...SMALL_FLEET,
      't-acme/pro.yaml': yaml('Plan', 'pro', {
        title: 'Pro',
        offers: 'Desktop',
        basedOn: 'performance',
        currency: 'USD',
        price: [recurring('base', money(base))],
      }),
      't-acme/eco.yaml': yaml('Plan', 'eco', {
        title: 'Eco',
        offers: 'Desktop',
        basedOn: 'performance',
        currency: 'USD',
        price: [recurring('hours', money(hours), 'Running'), recurring('fee', money(fee), 'Exists', 'Buyer')],
      }),
      't-acme/bob.yaml': yaml('Tenant', 'bob', {
        id: 'bob-1',
        plan: 'studio',
        members: people,
        source: { type: 'Fleet' },
        ...(isSuspended ? { suspensions: [{ reason: 'Payment' }] } : {}),
      }),
      ...Object.fromEntries(
        desktops.map(({ name, plan, power }) => [
          `t-acme--bob/${name}.yaml`,
          yaml('RDPInstance', name, { plan, power, image: 'ubuntu-24', username: 'bob' }),
        ]),
      ),
    };
  });

describe('whatever a fleet holds', () => {
  it('is judged, compared and printed on single lines without control characters', async () => {
    await fc.assert(
      fc.asyncProperty(broken, broken, async (before, after) => {
        const { findings } = await lint(buildTree(after));
        for (const finding of findings) {
          expect(finding.file).toMatch(/^tenants\/staging/);
          expect(renderFinding(finding, plain)).not.toMatch(/[\p{Cc}\u2028]/u);
          expect(renderAnnotation(finding)).not.toMatch(/[\r\n]/);
        }
        const found = await diff(buildTree(before), buildTree(after));
        expect(renderDiff(found, plain)).not.toMatch(/[^\P{Cc}\n]/u);
        expect(renderMarkdown(found).length).toBeLessThan(65_536);
        expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  }, 600_000);
});

describe('a comparison', () => {
  it('with itself is empty, and backwards is its mirror image', async () => {
    await fc.assert(
      fc.asyncProperty(good, good, async (one, other) => {
        const [a, b] = [buildTree(one), buildTree(other)];
        expect((await diff(a, a)).environments).toEqual([]);
        const [there, back] = [await diff(a, b), await diff(b, a)];
        const [forth] = there.environments;
        const [mirror] = back.environments;
        expect(
          forth?.prices.map(({ before, after, ...rest }) => ({
            ...rest,
            before: after,
            after: before,
            difference: negate(rest.difference),
          })),
        ).toEqual(mirror?.prices.map((price) => ({ ...price })));
        expect(forth?.resources.map(({ action, name }) => `${OPPOSITE[action]} ${name}`)).toEqual(
          mirror?.resources.map(({ action, name }) => `${action} ${name}`),
        );
      }),
      { numRuns: 40 },
    );
  }, 600_000);
});

const OPPOSITE = { added: 'removed', changed: 'changed', removed: 'added' } as const;

function negate(difference: string): string {
  return difference.startsWith('+') ? `-${difference.slice(1)}` : `+${difference.slice(1)}`;
}
