import { describe, expect, it } from 'vitest';
import { renderAge } from './duration.ts';
import { compileJsonPath } from './jsonpath.ts';

describe('JSON paths', () => {
  const object = {
    spec: { plan: 'pro', list: [{ n: 1 }, { n: 2 }] },
    metadata: { annotations: { 'a.b/c': 'x' } },
    status: {
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'Stalled', status: 'False' },
      ],
    },
  };

  it.each([
    ['.spec.plan', 'pro'],
    ['.spec.list[1].n', 2],
    ['.spec.list[-1].n', 2],
    ['.spec.list[*].n', 1],
    [".metadata.annotations['a.b/c']", 'x'],
    ['.metadata.annotations.a\\.b/c', 'x'],
    ['.status.conditions[?(@.type=="Stalled")].status', 'False'],
    [".status.conditions[?(@.type!='Ready')].status", 'False'],
    ['.spec.none.more', undefined],
  ])('%s', (path, value) => {
    expect(compileJsonPath(path)?.(object)).toEqual(value);
  });

  it('are refused where nobody reads them', () => {
    expect(compileJsonPath('.spec..plan')).toBeUndefined();
    expect(compileJsonPath('{.spec}')).toBeUndefined();
  });
});

describe('ages', () => {
  const [minute, hour, day] = [60, 3600, 86_400];

  it.each([
    [-5, '<invalid>'],
    [-1, '0s'],
    [119, '119s'],
    [2 * minute, '2m'],
    [9 * minute + 5, '9m5s'],
    [179 * minute, '179m'],
    [3 * hour, '3h'],
    [7 * hour + 5 * minute, '7h5m'],
    [47 * hour, '47h'],
    [7 * day + 3 * hour, '7d3h'],
    [8 * day, '8d'],
    [3 * 365 * day + 4 * day, '3y4d'],
    [9 * 365 * day, '9y'],
  ])('%d s: %s', (seconds, text) => {
    expect(renderAge(seconds * 1000)).toBe(text);
  });
});
