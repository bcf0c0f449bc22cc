import { isRecord } from '../decode.ts';
import type { KubeObject } from '../object.ts';
import type { RecordedRequest, Target } from './fakeapiserver.ts';

export type WriteResult = {
  readonly code: number;
  readonly store?: KubeObject;
  readonly remove?: boolean;
  readonly body?: unknown;
};

/** What a write does to one object of the fake API server. Server-side apply merges maps and replaces lists. */
export function applyWrite(
  request: RecordedRequest,
  target: Target,
  found: KubeObject | undefined,
  exists: (name: string) => boolean,
): WriteResult {
  const { method, body } = request;
  if (method === 'POST') {
    const object = body as KubeObject;
    if (exists(object.metadata.name)) return refuse(409, 'AlreadyExists', `"${object.metadata.name}" already exists`);
    return { code: 201, store: object };
  }
  if (method === 'PATCH' && String(request.headers['content-type']).startsWith('application/apply-patch')) {
    return {
      code: found === undefined ? 201 : 200,
      store: found === undefined ? (body as KubeObject) : merge(found, body),
    };
  }
  if (found === undefined) return refuse(404, 'NotFound', `"${target.name}" not found`);
  if (method === 'DELETE') return remove(body, found);
  if (method === 'PUT') {
    const object = body as KubeObject;
    const { resourceVersion } = object.metadata;
    if (resourceVersion !== undefined && resourceVersion !== found.metadata.resourceVersion) {
      return refuse(409, 'Conflict', 'the object has been modified');
    }
    return { code: 200, store: object };
  }
  if (String(request.headers['content-type']).startsWith('application/merge-patch'))
    return { code: 200, store: merge(found, body) };
  const patched = jsonPatch(found, body as readonly JsonOp[]);
  return patched === undefined
    ? refuse(422, 'Invalid', 'the server rejected our request due to an error in our request')
    : { code: 200, store: patched };
}

type JsonOp = { readonly op: string; readonly path: string; readonly value?: unknown };

function remove(body: unknown, found: KubeObject): WriteResult {
  const preconditions = isRecord(body) && isRecord(body.preconditions) ? body.preconditions : {};
  const { uid, resourceVersion } = found.metadata;
  if (preconditions.uid !== undefined && preconditions.uid !== uid)
    return refuse(409, 'Conflict', 'the UID does not match');
  if (preconditions.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) {
    return refuse(409, 'Conflict', 'the resourceVersion does not match');
  }
  return { code: 200, remove: true, body: { kind: 'Status', status: 'Success' } };
}

function merge<T>(base: T, patch: unknown): T {
  if (!isRecord(base) || !isRecord(patch)) return patch as T;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = merge(merged[key], value);
  }
  return merged as T;
}

function jsonPatch(object: KubeObject, ops: readonly JsonOp[]): KubeObject | undefined {
  const copy = structuredClone(object);
  for (const { op, path, value } of ops) {
    const parts = path
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = parts.pop() ?? '';
    const parent = parts.reduce<unknown>(
      (at, part) => (Array.isArray(at) || isRecord(at) ? at[part as keyof typeof at] : undefined),
      copy,
    );
    if (Array.isArray(parent)) {
      if (op === 'add') parent.splice(last === '-' ? parent.length : Number(last), 0, value);
      else if (op === 'remove') parent.splice(Number(last), 1);
    } else if (isRecord(parent)) {
      if (op === 'test') {
        if (JSON.stringify(parent[last] ?? null) !== JSON.stringify(value ?? null)) return undefined;
      } else if (op === 'remove') delete parent[last];
      else parent[last] = value;
    } else return undefined;
  }
  return copy;
}

function refuse(code: number, reason: string, message: string): WriteResult {
  return { code, body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message } };
}
