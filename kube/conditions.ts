/** `metav1.Condition`s: a list that is a map by `type`. Pure. */
export type Condition = {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** CamelCase, from a closed set. */
  readonly reason: string;
  readonly message: string;
  /** RFC 3339. When `status` last changed. */
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number | undefined;
};

export type NewCondition = Omit<Condition, 'lastTransitionTime'>;

/**
 * The list with `next` in place of the condition of its type. `lastTransitionTime` stays unless `status` changes. Returns the same list
 * when nothing changes, so that callers may compare by identity. The API server bounds messages at 32 768 characters; longer ones are cut.
 */
export function setCondition(list: readonly Condition[], next: NewCondition, nowIso: string): readonly Condition[] {
  const message = next.message.length > MAX_MESSAGE ? `${next.message.slice(0, MAX_MESSAGE - 1)}…` : next.message;
  const at = list.findIndex((condition) => condition.type === next.type);
  const old = list[at];
  if (old === undefined) return [...list, { ...next, message, lastTransitionTime: nowIso }];
  const same =
    old.status === next.status &&
    old.reason === next.reason &&
    old.message === message &&
    old.observedGeneration === next.observedGeneration;
  if (same) return list;
  const lastTransitionTime = old.status === next.status ? old.lastTransitionTime : nowIso;
  return list.with(at, { ...next, message, lastTransitionTime });
}

/** The list without the condition of that type; the same list when there is none. */
export function removeCondition(list: readonly Condition[], type: string): readonly Condition[] {
  return list.some((condition) => condition.type === type) ? list.filter((condition) => condition.type !== type) : list;
}

export function findCondition(list: readonly Condition[] | undefined, type: string): Condition | undefined {
  return list?.find((condition) => condition.type === type);
}

export function isConditionTrue(list: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(list, type)?.status === 'True';
}

const MAX_MESSAGE = 32_768;
