import type { Condition } from '../../kube/conditions.ts';

export type NewCondition = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/**
 * Flux's way with conditions: the transition time moves with status, reason and message alike, `observedGeneration` always follows the
 * object, and the list is in a fixed order. Messages are cut where Flux cuts them.
 */
export function mark(
  list: readonly Condition[],
  condition: NewCondition,
  { generation, nowIso }: { readonly generation: number; readonly nowIso: string },
): readonly Condition[] {
  const message =
    condition.message.length > MAX_MESSAGE ? `${condition.message.slice(0, MAX_MESSAGE - 3)}...` : condition.message;
  const old = list.find(({ type }) => type === condition.type);
  const same = old?.status === condition.status && old.reason === condition.reason && old.message === message;
  const lastTransitionTime = same ? old.lastTransitionTime : nowIso;
  const next = { ...condition, message, lastTransitionTime, observedGeneration: generation };
  return [...list.filter(({ type }) => type !== condition.type), next].sort(inOrder);
}

export function unmark(list: readonly Condition[], ...types: readonly string[]): readonly Condition[] {
  return list.filter(({ type }) => !types.includes(type));
}

export function findMark(list: readonly Condition[] | undefined, type: string): Condition | undefined {
  return list?.find((condition) => condition.type === type);
}

export function isMarked(
  list: readonly Condition[] | undefined,
  type: string,
  status: Condition['status'] = 'True',
): boolean {
  return findMark(list, type)?.status === status;
}

/** `metav1.Time`: whole seconds, UTC. */
export function renderTime(ms: number): string {
  return `${new Date(Math.floor(ms / 1_000) * 1_000).toISOString().slice(0, 19)}Z`;
}

const MAX_MESSAGE = 32_768;
const FIRST = ['Stalled', 'Reconciling', 'Ready'];

/** The three of kstatus first, then the newest generation, then by name. */
function inOrder(a: Condition, b: Condition): number {
  const [first, second] = [FIRST.indexOf(a.type), FIRST.indexOf(b.type)];
  if (first >= 0 && second >= 0) return first - second;
  if (first >= 0 || second >= 0) return second - first;
  const newer = (b.observedGeneration ?? 0) - (a.observedGeneration ?? 0);
  return newer !== 0 ? newer : a.type < b.type ? -1 : 1;
}
