import { createHash } from 'node:crypto';

/**
 * The revision of a Plan: a hash over the canonical form of its spec, in which members are sorted and absent ones left out.
 * What a person wrote decides; nothing that a schema would fill in is added.
 */
export function computePlanRevision(spec: object): string {
  return createHash('sha256').update(renderCanonical(spec)).digest('hex').slice(0, 16);
}

function renderCanonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(renderCanonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${renderCanonical(member)}`).join(',')}}`;
}
