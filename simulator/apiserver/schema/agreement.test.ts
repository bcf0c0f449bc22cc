import { describe, expect, it } from 'vitest';
import { validateCrd } from './index.ts';
import { DEFINITION_CASES } from './testing/baddefinitions.ts';
import { VALUE_CASES } from './testing/cases.ts';
import RECORDED from './testing/recorded.json' with { type: 'json' };
import { judgeCase, nameOf, serveTestKinds } from './testing/served.ts';
import { judgeDefinition } from './testing/verdict.ts';

const served = serveTestKinds();

describe('what a real API server was recorded to say', () => {
  it.each(VALUE_CASES.map((one, index) => ({ one, index, name: nameOf(one) })))('of $name', ({ one, index }) => {
    const kind = served.get(one.kind);
    if (kind === undefined) throw new Error(`no kind ${one.kind}`);
    expect(judgeCase(kind, one)).toEqual(RECORDED.values[index]);
  });

  it.each(DEFINITION_CASES.map((one, index) => ({ ...one, index })))(
    'of a definition with $name',
    ({ definition, index }) => {
      expect(judgeDefinition(definition, validateCrd)).toEqual(RECORDED.definitions[index]);
    },
  );

  it('was recorded of every case', () => {
    expect(RECORDED.values).toHaveLength(VALUE_CASES.length);
    expect(RECORDED.definitions).toHaveLength(DEFINITION_CASES.length);
  });
});
