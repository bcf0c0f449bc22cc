import { describe, expect, it } from 'vitest';
import { GROUP } from './group.ts';
import * as labels from './labels.ts';

describe('labels and annotations', () => {
  const ours = Object.entries(labels).filter(([name]) => /^(LABEL|ANNOTATION)_|^FINALIZER$/.test(name));

  it('are all of our group and fit for a key', () => {
    expect(ours.length).toBeGreaterThan(10);
    for (const [, key] of ours)
      expect(key).toMatch(new RegExp(`^${GROUP.replace('.', '\\.')}/[a-z]([-a-z]{0,61}[a-z])$`));
  });

  it('name an owner by tenant, kind and name', () => {
    expect(labels.ownerLabels({ tenantId: 'bob-1', kind: 'RDPInstance', name: 'desk' })).toEqual({
      'sublet.dev/tenant-id': 'bob-1',
      'sublet.dev/owner-kind': 'RDPInstance',
      'sublet.dev/owner-name': 'desk',
    });
  });
});
