import type { Resource } from '../../../kube/object.ts';

/** `v1.NamespaceCondition`. */
export type NamespaceCondition = {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
};

/** What a pass over a namespace's content left. */
export type Remainder = {
  readonly kinds: readonly { readonly resource: Resource; readonly count: number }[];
  /** How many objects wait for each finalizer. */
  readonly finalizers: ReadonlyMap<string, number>;
  /** Why content could not be deleted. */
  readonly errors: readonly string[];
};

/**
 * The five conditions of a namespace that goes, in the API server's order and words; those of `present` that say the same keep their time.
 * Undefined when nothing changes.
 */
export function computeConditions(
  present: readonly NamespaceCondition[],
  remainder: Remainder,
  now: string,
): readonly NamespaceCondition[] | undefined {
  const found = new Map(renderTroubles(remainder).map((trouble) => [trouble.type, trouble]));
  const conditions = [...present];
  let isChanged = false;
  for (const [type, ok] of HEALTHY) {
    const trouble = found.get(type);
    const status = trouble === undefined ? ('False' as const) : ('True' as const);
    const { reason, message } = trouble ?? ok;
    const index = conditions.findIndex((condition) => condition.type === type);
    const old = conditions[index];
    if (old?.status === status && old.reason === reason && old.message === message) continue;
    isChanged = true;
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : now;
    conditions[index < 0 ? conditions.length : index] = { type, status, lastTransitionTime, reason, message };
  }
  return isChanged ? conditions : undefined;
}

type Trouble = { readonly type: string; readonly reason: string; readonly message: string };

function renderTroubles({ kinds, finalizers, errors }: Remainder): readonly Trouble[] {
  const troubles: Trouble[] = [];
  if (errors.length > 0) {
    const message = `Failed to delete all resource types, ${errors.length} remaining: ${[...errors].sort().join(', ')}`;
    troubles.push({ type: 'NamespaceDeletionContentFailure', reason: 'ContentDeletionFailed', message });
  }
  if (kinds.length > 0) {
    const list = kinds.map(
      ({ resource, count }) => `${resource.plural}.${resource.group} has ${count} resource instances`,
    );
    const message = `Some resources are remaining: ${list.sort().join(', ')}`;
    troubles.push({ type: 'NamespaceContentRemaining', reason: 'SomeResourcesRemain', message });
  }
  if (finalizers.size > 0) {
    const list = [...finalizers].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`);
    const message = `Some content in the namespace has finalizers remaining: ${list.sort().join(', ')}`;
    troubles.push({ type: 'NamespaceFinalizersRemaining', reason: 'SomeFinalizersRemain', message });
  }
  return troubles;
}

const HEALTHY: readonly (readonly [string, Omit<Trouble, 'type'>])[] = [
  [
    'NamespaceDeletionDiscoveryFailure',
    { reason: 'ResourcesDiscovered', message: 'All resources successfully discovered' },
  ],
  [
    'NamespaceDeletionGroupVersionParsingFailure',
    { reason: 'ParsedGroupVersions', message: 'All legacy kube types successfully parsed' },
  ],
  [
    'NamespaceDeletionContentFailure',
    { reason: 'ContentDeleted', message: 'All content successfully deleted, may be waiting on finalization' },
  ],
  ['NamespaceContentRemaining', { reason: 'ContentRemoved', message: 'All content successfully removed' }],
  [
    'NamespaceFinalizersRemaining',
    { reason: 'ContentHasNoFinalizers', message: 'All content-preserving finalizers finished' },
  ],
];
