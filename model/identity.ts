import { createHash } from 'node:crypto';

const MAX_LABEL = 63;
const HASH_LENGTH = 16;

/**
 * A tenant's identity on the cluster: its `spec.id` with a hash over the chain of ids from the root. Unique in the whole tree,
 * because an id is unique below its parent; fit for a label.
 */
export function computeTenantId(parentId: string, id: string): string {
  const hash = createHash('sha256').update(`${parentId}/${id}`).digest('hex').slice(0, HASH_LENGTH);
  return `${id.slice(0, MAX_LABEL - HASH_LENGTH - 1)}-${hash}`;
}

/** Identity of a resource in a tenant's namespace: a desktop that comes back under the same one takes its disk back. */
export function computeResourceId(tenantId: string, kind: string, name: string): string {
  return `${tenantId}/${kind}/${name}`;
}

/** A UUID fixed by an identity (RFC 9562 version 8: custom, here SHA-256), for a VM's firmware. */
export function computeUuid(identity: string): string {
  const bytes = createHash('sha256').update(`uuid:${identity}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
