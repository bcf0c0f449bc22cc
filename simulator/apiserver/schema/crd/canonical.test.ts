import { expect, it } from 'vitest';
import { buildDefinition } from '../testing/definitions.ts';
import { canonicalizeSchemas } from './canonical.ts';

it('leaves out what says nothing, and nothing else', () => {
  const empty = {
    description: '',
    enum: [],
    required: [],
    nullable: false,
    'x-kubernetes-int-or-string': false,
    format: null,
  };
  const rules = { 'x-kubernetes-validations': [{ rule: '', message: '', fieldPath: '', optionalOldSelf: false }] };
  const kept = { default: '', 'x-kubernetes-preserve-unknown-fields': false, minimum: 0, additionalProperties: false };
  const member = { type: 'string', ...empty, ...rules, ...kept };
  const crd = structuredClone(
    buildDefinition({
      kind: 'A',
      schema: { type: 'object', properties: { a: member, b: { items: member, anyOf: [member] } } },
    }),
  );
  canonicalizeSchemas(crd);
  const left = { type: 'string', ...kept, 'x-kubernetes-validations': [{ rule: '', optionalOldSelf: false }] };
  expect(crd.spec.versions[0]?.schema.openAPIV3Schema).toEqual({
    type: 'object',
    properties: { a: left, b: { items: left, anyOf: [left] } },
  });
});

it('takes a definition without schemas', () => {
  expect(() => canonicalizeSchemas({})).not.toThrow();
  expect(() => canonicalizeSchemas({ spec: { versions: [null, {}, { schema: 1 }] } })).not.toThrow();
});
