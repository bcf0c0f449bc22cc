import { expect, test } from 'vitest';
import { findCondition, isConditionTrue, removeCondition, setCondition } from './conditions.ts';

const ready = { type: 'Ready', status: 'True', reason: 'Succeeded', message: 'ok', observedGeneration: 1 } as const;

test('the transition time moves only when the status does', () => {
  const first = setCondition([], ready, 'T1');
  expect(first).toEqual([{ ...ready, lastTransitionTime: 'T1' }]);
  expect(setCondition(first, ready, 'T2')).toBe(first);
  const second = setCondition(first, { ...ready, message: 'still ok', observedGeneration: 2 }, 'T2');
  expect(second[0]?.lastTransitionTime).toBe('T1');
  const third = setCondition(second, { ...ready, status: 'False', reason: 'Broken' }, 'T3');
  expect(third[0]).toMatchObject({ lastTransitionTime: 'T3', reason: 'Broken' });
  expect(first[0]?.message).toBe('ok');
});

test('other conditions keep their place', () => {
  const list = setCondition(setCondition([], ready, 'T1'), { ...ready, type: 'Stalled' }, 'T1');
  expect(setCondition(list, { ...ready, status: 'False' }, 'T2').map((one) => one.type)).toEqual(['Ready', 'Stalled']);
  expect(removeCondition(list, 'Ready').map((one) => one.type)).toEqual(['Stalled']);
  expect(removeCondition(list, 'Absent')).toBe(list);
  expect(isConditionTrue(list, 'Ready')).toBe(true);
  expect(findCondition(undefined, 'Ready')).toBeUndefined();
});

test('a message beyond the API limit is cut', () => {
  const [only] = setCondition([], { ...ready, message: 'x'.repeat(40_000) }, 'T1');
  expect(only?.message.length).toBe(32_768);
  expect(only?.message.endsWith('…')).toBe(true);
});
