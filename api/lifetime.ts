import type { Caches } from './caches.ts';

/** Between the database's clock and the API server's. */
const CLOCK_SKEW_MS = 2_000;

/**
 * Whether something that was written down at this time in the name of a namespace is of the tenant who has it now. A name can go to somebody else once a removed
 * tenant's namespace was swept; what is older than the namespace was the other's, and is not shown.
 */
export function isOfPresentTenant(caches: Pick<Caches, 'namespaces'>, namespace: string, atMs: number): boolean {
  return atMs >= computeBegin(caches, namespace);
}

/** From when on what was written down is of the tenant who has the namespace now; 0 where nobody knows. */
export function computeBegin({ namespaces }: Pick<Caches, 'namespaces'>, namespace: string): number {
  const createdAt = namespaces.get(namespace)?.metadata.creationTimestamp;
  return createdAt === undefined ? 0 : Date.parse(createdAt) - CLOCK_SKEW_MS;
}
