import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { parseFile } from './document/parse.ts';
import type { Json, JsonMap } from './intent.ts';
import { renderFile, renderInline, renderLines } from './render.ts';

// Holds on a machine that is busy with much else.
vi.setConfig({ testTimeout: 200_000, hookTimeout: 120_000 });

const json: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom(
      'yes',
      'NO',
      'on',
      'null',
      '~',
      '',
      ' ',
      '1',
      '0x1f',
      '1_000',
      '0o7',
      '12:30:00',
      '2026-11-26',
      '.inf',
      '.NaN',
      '<<',
      '=',
      '- a',
    ),
    fc.constantFrom(
      'a: b',
      'a #b',
      '#a',
      '&a',
      '*a',
      '!a',
      '|',
      '>',
      '%a',
      '@a',
      '`a',
      '{a',
      '[a',
      'a,b',
      'oidc:anna',
      '---',
      '...',
      '\ufeff',
      '\u2028',
    ),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }), tie('value'), { maxKeys: 3 }),
  ),
})).value;

const normal = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('rendered YAML', () => {
  it('means the same to readers of YAML 1.1 and 1.2, in blocks and on one line', () => {
    fc.assert(
      fc.property(json, (value) => {
        const wrapped = { value };
        for (const text of [
          `${renderLines(wrapped, '').join('\n')}\n`,
          `value: ${renderInline(value, 'block')}\n`,
          `{value: ${renderInline(value, 'flow')}}\n`,
        ]) {
          for (const version of ['1.1', '1.2'] as const) {
            expect(
              normal(parse(text, { version, schema: version === '1.1' ? 'yaml-1.1' : 'core', uniqueKeys: false })),
            ).toEqual(normal(wrapped));
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('is nothing that the gate calls ambiguous', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }), json), (spec) => {
        const text = renderFile({ apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, spec }, 'X', 'x.yaml');
        expect(parseFile(text)).toMatchObject({ type: 'parsed' });
      }),
      { numRuns: 100 },
    );
  });

  it('keeps plain what people write plain', () => {
    const plain = [
      'Performance desktop',
      '8Gi',
      '100Gi',
      '203.0.113.0/24',
      'nvidia.com/A2',
      'ubuntu-24',
      'oidc:anna',
      "Bob's Studio",
    ];
    expect(plain.map((text) => renderInline(text, 'block'))).toEqual(plain);
    expect(renderInline('oidc:anna', 'flow')).toBe('"oidc:anna"');
    expect(renderInline('28.00', 'block')).toBe('"28.00"');
    expect(renderInline('2026-11-21T09:00:00Z', 'block')).toBe('"2026-11-21T09:00:00Z"');
  });
});

describe('a new file', () => {
  const desktop: JsonMap = {
    spec: {
      username: 'anna',
      access: { allow: ['203.0.113.0/24'], type: 'LoadBalancer' },
      plan: 'pro',
      image: 'ubuntu-24',
      unknown: 1,
    },
    status: { power: 'Running' },
    kind: 'RDPInstance',
    metadata: { uid: '1', namespace: 't-acme', labels: { team: 'a' }, name: 'anna-desk', managedFields: [] },
    apiVersion: 'sublet.dev/v1alpha1',
  };

  it('has the members in the order of the schema, and no others than people write', () => {
    expect(
      renderFile(desktop, 'RDPInstance', 'a/b.yaml', {
        schemaAddress: (kind, path) => `${path}/../schemas/${kind}.json`,
      }),
    ).toBe(`# yaml-language-server: $schema=a/b.yaml/../schemas/RDPInstance.json
apiVersion: sublet.dev/v1alpha1
kind: RDPInstance
metadata:
  name: anna-desk
  labels:
    team: a
spec:
  plan: pro
  image: ubuntu-24
  username: anna
  access:
    type: LoadBalancer
    allow:
      - 203.0.113.0/24
  unknown: 1
`);
  });

  it('is the same for the same resource', () => {
    const other = Object.fromEntries(Object.entries(desktop).reverse());
    expect(renderFile(other, 'RDPInstance', 'a.yaml')).toBe(renderFile(desktop, 'RDPInstance', 'a.yaml'));
  });
});
