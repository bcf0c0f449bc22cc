import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isObject, type JsonObject } from '../schema/json.ts';

/**
 * Writes `schemas.gen.ts`: what the OpenAPI documents of a Kubernetes API server say of the kinds that this server has, as structural schemas without
 * descriptions. Takes the paths of the documents, as `kubectl get --raw /openapi/v3/api/v1` and its like give them, and as `api/openapi-spec/v3` of the
 * Kubernetes repository holds them.
 *
 * node simulator/apiserver/builtin/generate.ts DOCUMENT...
 */

const PREFIX = 'io.k8s.';
const KINDS: readonly (readonly [apiVersion: string, kind: string, definition: string])[] = [
  ['v1', 'ConfigMap', 'api.core.v1.ConfigMap'],
  ['v1', 'Event', 'api.core.v1.Event'],
  ['v1', 'Namespace', 'api.core.v1.Namespace'],
  ['v1', 'Node', 'api.core.v1.Node'],
  ['v1', 'PersistentVolume', 'api.core.v1.PersistentVolume'],
  ['v1', 'PersistentVolumeClaim', 'api.core.v1.PersistentVolumeClaim'],
  ['v1', 'Pod', 'api.core.v1.Pod'],
  ['v1', 'ResourceQuota', 'api.core.v1.ResourceQuota'],
  ['v1', 'Secret', 'api.core.v1.Secret'],
  ['v1', 'Service', 'api.core.v1.Service'],
  ['v1', 'ServiceAccount', 'api.core.v1.ServiceAccount'],
  ...[
    'MutatingWebhookConfiguration',
    'ValidatingAdmissionPolicy',
    'ValidatingAdmissionPolicyBinding',
    'ValidatingWebhookConfiguration',
  ].map((kind) => ['admissionregistration.k8s.io/v1', kind, `api.admissionregistration.v1.${kind}`] as const),
  [
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    'apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  ],
  ['apps/v1', 'Deployment', 'api.apps.v1.Deployment'],
  ['coordination.k8s.io/v1', 'Lease', 'api.coordination.v1.Lease'],
  ['events.k8s.io/v1', 'Event', 'api.events.v1.Event'],
  ['networking.k8s.io/v1', 'NetworkPolicy', 'api.networking.v1.NetworkPolicy'],
  ...['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'].map(
    (kind) => ['rbac.authorization.k8s.io/v1', kind, `api.rbac.v1.${kind}`] as const,
  ),
  ['storage.k8s.io/v1', 'StorageClass', 'api.storage.v1.StorageClass'],
];

/** Taken as they come: what is deep and changed by nobody here, and what contains itself. */
const OPEN: ReadonlySet<string> = new Set([
  'api.core.v1.Affinity',
  'api.core.v1.EphemeralContainer',
  'api.core.v1.PodStatus',
  'api.core.v1.NodeStatus',
  'apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps',
  'apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON',
  'apimachinery.pkg.runtime.RawExtension',
  'apimachinery.pkg.apis.meta.v1.FieldsV1',
]);

const KEPT = ['type', 'format', 'default', 'required', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys'];

function main(documents: readonly string[]): void {
  const known = new Map<string, JsonObject>();
  for (const document of documents) {
    const parsed = JSON.parse(readFileSync(document, 'utf8')) as {
      components?: { schemas?: Record<string, JsonObject> };
    };
    for (const [name, schema] of Object.entries(parsed.components?.schemas ?? {})) known.set(name, schema);
  }
  const definitions: Record<string, JsonObject> = {};
  const take = (name: string): void => {
    if (definitions[name] !== undefined) return;
    const schema = known.get(PREFIX + name);
    if (schema === undefined) throw new Error(`no document defines ${PREFIX}${name}`);
    definitions[name] = OPEN.has(name) ? OPEN_SCHEMA : {};
    if (!OPEN.has(name)) definitions[name] = trim(schema, take);
  };
  for (const [, , definition] of KINDS) take(definition);
  const kinds = Object.fromEntries(
    KINDS.map(([apiVersion, kind, definition]) => [`${apiVersion} ${kind}`, definition]),
  );
  const sorted = Object.fromEntries(Object.entries(definitions).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(path.join(import.meta.dirname, 'schemas.gen.ts'), render({ kinds, definitions: sorted }));
}

const OPEN_SCHEMA = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

function trim(schema: JsonObject, take: (name: string) => void): JsonObject {
  const reference = referenceOf(schema);
  if (reference !== undefined) {
    take(reference);
    return { $ref: reference, ...pick(schema, ['default']) };
  }
  if (Array.isArray(schema.oneOf)) {
    // A quantity is a text or a number; the other one is a port or a share.
    const format = schema.format ?? 'quantity';
    return { 'x-kubernetes-int-or-string': true, format };
  }
  const { properties, items, additionalProperties } = schema;
  const isAtomic = schema['x-kubernetes-map-type'] === 'atomic';
  return {
    ...pick(schema, KEPT),
    ...(isAtomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    ...(isObject(properties) ? { properties: mapValues(properties, (member) => trim(member, take)) } : {}),
    ...(isObject(items) ? { items: trim(items, take) } : {}),
    ...(isObject(additionalProperties) ? { additionalProperties: trim(additionalProperties, take) } : {}),
  };
}

/** References are wrapped in `allOf` where something else stands beside them. */
function referenceOf(schema: JsonObject): string | undefined {
  const [wrapped] = Array.isArray(schema.allOf) ? schema.allOf : [];
  const reference = schema.$ref ?? (isObject(wrapped) ? wrapped.$ref : undefined);
  return typeof reference === 'string' ? reference.replace(`#/components/schemas/${PREFIX}`, '') : undefined;
}

function pick(schema: JsonObject, members: readonly string[]): JsonObject {
  return Object.fromEntries(
    members.filter((member) => schema[member] !== undefined).map((member) => [member, schema[member]]),
  );
}

function mapValues(object: JsonObject, change: (value: JsonObject) => JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(isObject(value) ? value : {})]));
}

function render(schemas: object): string {
  return `/** Generated by generate.ts from a Kubernetes API server's OpenAPI documents. */
export const SCHEMAS: {
  /** The definition of each kind, by apiVersion and kind. */
  readonly kinds: Readonly<Record<string, string>>;
  /** Structural schemas, but that \`$ref\` names a definition. */
  readonly definitions: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
} = JSON.parse(${JSON.stringify(JSON.stringify(schemas))});
`;
}

main(process.argv.slice(2));
