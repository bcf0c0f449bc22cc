import { KINDS, RDPINSTANCES, TENANTS } from '../crds/v1alpha1/resources.ts';
import { CUSTOMRESOURCEDEFINITIONS } from '../kube/builtin.ts';
import { isNotFound } from '../kube/errors.ts';
import { type KubeObject, qualifiedName } from '../kube/object.ts';
import type { Informers, OperatorDeps } from './context.ts';

/** Tells removals that somebody ordered from those that take everything of a kind because its CustomResourceDefinition goes. */
export type Definitions = {
  /**
   * Names of our definitions that are being deleted or are gone, sorted; empty while none is being deleted. One that is merely absent from the cache is no
   * removal.
   */
  lost(kind: 'Tenant' | 'RDPInstance', signal: AbortSignal): Promise<readonly string[]>;
};

const OURS = KINDS.map(({ resource }) => qualifiedName(resource)).sort();

export function createDefinitions(
  { client }: Pick<OperatorDeps, 'client'>,
  { definitions }: Pick<Informers, 'definitions'>,
): Definitions {
  const isMarked = (name: string): boolean => definitions.get(name)?.metadata.deletionTimestamp !== undefined;
  const isGone = (name: string): boolean => definitions.get(name) === undefined;
  return {
    async lost(kind, signal) {
      const own = qualifiedName(kind === 'Tenant' ? TENANTS : RDPINSTANCES);
      const asked = OURS.some(isMarked) ? undefined : own;
      if (asked !== undefined && !(await askLost(client, asked, signal))) return [];
      return OURS.filter((name) => name === asked || isMarked(name) || isGone(name));
    },
  };
}

/**
 * Whether a definition goes, from the API server: it is marked before the first of its objects is, but the two come by different watches, and the objects
 * may be seen first.
 */
async function askLost(client: OperatorDeps['client'], name: string, signal: AbortSignal): Promise<boolean> {
  try {
    const options = { metadataOnly: true, signal } as const;
    const { metadata } = await client.get<KubeObject>(CUSTOMRESOURCEDEFINITIONS, { name }, options);
    return metadata.deletionTimestamp !== undefined;
  } catch (error) {
    if (isNotFound(error)) return true;
    throw error;
  }
}
