import { expect, it } from 'vitest';
import { copyButManagedFields } from './index.ts';

it('copies everything but managedFields', () => {
  const object = {
    metadata: { name: 'a', labels: { a: 'b' }, managedFields: [{ manager: 'm' }] },
    spec: { list: [1] },
  };
  const copy = copyButManagedFields(object) as typeof object;
  expect(copy).toEqual(object);
  expect(copy.metadata.managedFields).toBe(object.metadata.managedFields);
  for (const name of ['metadata', 'spec'] as const) expect(copy[name]).not.toBe(object[name]);
  expect(copy.metadata.labels).not.toBe(object.metadata.labels);
  expect(copyButManagedFields({ spec: 1 })).toEqual({ spec: 1 });
});
