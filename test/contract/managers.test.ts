import { expect, it } from 'vitest';
import type { Json } from './json.ts';
import { renderQuotedManagedFields } from './managers.ts';

const entry = (manager: string, second: number): Json => ({
  fieldsV1: { 'f:spec': { 'k:{"port":1}': {}, 'f:list]': {} } },
  manager,
  operation: 'Apply',
  time: `2026-11-26T13:17:0${second}Z`,
});
/** As both servers refuse a patch that does not fit the type: the object, quoted. */
const refusal = (...entries: readonly Json[]): string =>
  ` "" is invalid: patch: Invalid value: ${JSON.stringify(
    JSON.stringify({ metadata: { labels: 3, managedFields: entries, name: 'b' }, spec: { size: 1 } }),
  )}: json: cannot unmarshal number`;
const withoutTime = (text: string): string => text.replaceAll(/:0\dZ/g, '');

it('makes the managers of a quoted object equal whether they wrote in the same second or not', () => {
  const later = renderQuotedManagedFields(refusal(entry('two', 1), entry('one', 2)));
  const atOnce = renderQuotedManagedFields(refusal(entry('one', 1), entry('two', 1)));
  expect(withoutTime(later)).toBe(withoutTime(atOnce));
  expect(later).toContain('json: cannot unmarshal number');
});

it('shows when they are not in the order of their times', () => {
  const wrong = renderQuotedManagedFields(refusal(entry('two', 1), entry('one', 1)));
  expect(wrong).toContain('not in the order of operation, time, manager, version');
});

it('leaves everything else of the text as it is', () => {
  const once = refusal(entry('one', 1));
  expect(renderQuotedManagedFields(once)).toBe(once);
  for (const text of [
    '',
    'the "managedFields" of "a\\"b',
    'metadata.managedFields must be nil',
    '"{\\"managedFields\\":[{"',
  ])
    expect(renderQuotedManagedFields(text)).toBe(text);
});
