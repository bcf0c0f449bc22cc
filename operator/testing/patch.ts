import { isDeepStrictEqual } from 'node:util';
import type { JsonPatchOp } from '../../kube/client.ts';

/** JSON merge patch, RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const merged: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else if (value !== undefined) merged[name] = mergePatch(merged[name], value);
  }
  return merged;
}

/** JSON patch, RFC 6902, as far as controllers use it; `undefined` when a test or a path fails. */
export function applyJsonPatch(target: unknown, ops: readonly JsonPatchOp[]): unknown {
  const result = structuredClone(target);
  for (const { op, path, value } of ops) {
    const names = path
      .split('/')
      .slice(1)
      .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = names.pop() ?? '';
    const parent = names.reduce<unknown>(
      (at, name) => (isRecord(at) || Array.isArray(at) ? Reflect.get(at, name) : undefined),
      result,
    );
    if (!isRecord(parent) && !Array.isArray(parent)) return undefined;
    const present: unknown = Reflect.get(parent, last);
    if (op === 'test' && !isDeepStrictEqual(present ?? null, value ?? null)) return undefined;
    if ((op === 'remove' || op === 'replace') && present === undefined) return undefined;
    if (op === 'remove' && Array.isArray(parent)) parent.splice(Number(last), 1);
    else if (op === 'remove') Reflect.deleteProperty(parent, last);
    else if (op === 'add' && Array.isArray(parent))
      parent.splice(last === '-' ? parent.length : Number(last), 0, value);
    else if (op !== 'test') Reflect.set(parent, last, value);
  }
  return result;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
