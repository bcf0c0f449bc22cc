import { isObject, type JsonObject } from './schema/json.ts';

/** The finalizer of a definition whose objects go first. */
export const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io';

/** Conditions with those that are wanted set; a time changes only with a status. */
export function setConditions(known: unknown, wanted: readonly JsonObject[], now: string): readonly JsonObject[] {
  const before = Array.isArray(known) ? known.filter(isObject) : [];
  const kept = before.filter(({ type }) => !wanted.some((one) => one.type === type));
  const set = wanted.map((one) => {
    const old = before.find(({ type }) => type === one.type);
    return { lastTransitionTime: old?.status === one.status ? old?.lastTransitionTime : now, ...one };
  });
  return [...kept, ...set];
}
