import type { Rule } from './facts.ts';

/** The provider buys from nobody; a reseller's desktop is always somebody's desktop in turn. */
export const checkBasedOn: Rule = (resource, { owner }) => {
  if (resource.kind !== 'Plan') return [];
  const { basedOn, offers } = resource.spec;
  const path = ['spec', 'basedOn'];
  if (owner === 'Root' && basedOn !== undefined) {
    return [
      { rule: 'BasedOn', path, message: 'must be absent: the provider buys from nobody; state sizes and images' },
    ];
  }
  if (owner === 'Reseller' && basedOn === undefined && offers === 'Desktop') {
    return [{ rule: 'BasedOn', path, message: 'is required below the provider; name the Plan that you buy' }];
  }
  return [];
};
