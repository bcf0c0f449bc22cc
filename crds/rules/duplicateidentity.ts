import type { Rule } from './facts.ts';

/** A Tenant's id is unique below its seller, because its data is found by it. */
export const checkDuplicateIdentity: Rule = (resource, { tenants = [] }) => {
  if (resource.kind !== 'Tenant') return [];
  const { id } = resource.spec;
  const twin = tenants.find((other) => other.id === id && other.name !== resource.metadata.name);
  if (twin === undefined) return [];
  const message = `${id} is the id of Tenant ${twin.name} already; give this one an id of its own`;
  return [{ rule: 'DuplicateIdentity', path: ['spec', 'id'], message }];
};
