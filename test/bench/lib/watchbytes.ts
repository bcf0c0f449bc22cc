import type { KubeObject } from '../../../kube/object.ts';
import { computeUuid } from '../../../model/identity.ts';
import { FIELD_MANAGER, FINALIZER, STATUS_FIELD_MANAGER } from '../../../model/labels.ts';
import { buildChildren, buildStatus, buildTenantResource, tenantNames, withAppliedHash } from './workload.ts';

const AT = '2026-11-21T09:00:00Z';

/**
 * The bytes of one watch as an API server sends them: ADDED lines of Tenants and their children with uid, resourceVersion,
 * status and managedFields, ended by a newline each. Gives the lines, so that a bare parser need not look for their ends.
 */
export function buildWatchLines(tenants: number): readonly Buffer[] {
  let version = 1_000;
  const line = (object: KubeObject): Buffer => {
    version += 1;
    return Buffer.from(`${JSON.stringify({ type: 'ADDED', object: withServerFields(object, version) })}\n`);
  };
  return tenantNames('decode', tenants).flatMap((name) => {
    const uid = computeUuid(name);
    const tenant = { ...buildTenantResource(name), status: buildStatus(name, 1, AT) };
    return [tenant, ...buildChildren(name, uid).flat().map(withAppliedHash)].map(line);
  });
}

/** The bytes in chunks of the size in which TLS records arrive, whatever lines they cut. */
export function cutIntoChunks(lines: readonly Buffer[], chunkBytes = 16_384): readonly Buffer[] {
  const all = Buffer.concat(lines);
  const count = Math.ceil(all.length / chunkBytes);
  return Array.from({ length: count }, (_, index) => all.subarray(index * chunkBytes, (index + 1) * chunkBytes));
}

function withServerFields(object: KubeObject & { readonly status?: unknown }, version: number): KubeObject {
  const { status, ...intent } = object;
  const isTenant = object.kind === 'Tenant';
  const managed = [{ manager: isTenant ? 'kustomize-controller' : FIELD_MANAGER, of: intent, subresource: {} }];
  if (status !== undefined) {
    managed.push({
      manager: STATUS_FIELD_MANAGER,
      of: { ...intent, metadata: { name: '' }, ...{ spec: {}, status } },
      subresource: { subresource: 'status' },
    });
  }
  const metadata = {
    ...object.metadata,
    uid: computeUuid(`${object.kind}/${object.metadata.namespace}/${object.metadata.name}`),
    resourceVersion: String(version),
    generation: 1,
    creationTimestamp: AT,
    ...(isTenant ? { finalizers: [FINALIZER] } : {}),
    managedFields: managed.map(({ manager, of, subresource }) => ({
      manager,
      operation: 'Apply',
      apiVersion: object.apiVersion,
      time: AT,
      fieldsType: 'FieldsV1',
      fieldsV1: computeFields(of),
      ...subresource,
    })),
  };
  return { ...object, metadata };
}

/** The set of an object's fields in the form of structured-merge-diff; lists count as atomic. */
function computeFields(value: object): object {
  const identity = ['apiVersion', 'kind', 'name', 'namespace'];
  const entries = Object.entries(value).filter(([key, inner]) => !identity.includes(key) && inner !== undefined);
  const fields = entries.map(([key, inner]): [string, object] => {
    const isMap = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
    return [`f:${key}`, isMap ? { '.': {}, ...computeFields(inner) } : {}];
  });
  return Object.fromEntries(fields);
}
