import { compareVersions } from './discovery.ts';
import type { Column, ServedKind, Subresource, Verb } from './kinds.ts';
import { type ApiObject, objectAt } from './object.ts';
import { type CompiledSchema, compileSchema } from './schema/index.ts';
import { cloneJson, equalJson, isObject, type JsonObject } from './schema/json.ts';
import type { Store } from './store.ts';
import { customStrategy } from './strategy.ts';

const VERBS: readonly Verb[] = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];

/** The kinds that a CustomResourceDefinition makes, one for each served version. `isChanged`: objects of an older schema may be there. */
export function buildCustomKinds(crd: ApiObject, store: Store, isChanged: boolean): readonly ServedKind[] {
  const spec = objectAt(crd, 'spec');
  const names = objectAt(spec, 'names');
  const group = String(spec.group);
  const plural = String(names.plural);
  const kind = String(names.kind);
  const versions = listOf(spec.versions);
  const storageVersion = String(versions.find(({ storage }) => storage === true)?.name ?? versions[0]?.name);
  const namespaced = spec.scope === 'Namespaced';
  const collection = store.collection(group, plural);
  return versions
    .filter(({ served }) => served === true)
    .map((version): ServedKind => {
      const name = String(version.name);
      const subresources = objectAt(version, 'subresources');
      const of = { group, version: name, kind, isNamespaced: namespaced };
      const stated = objectAt(version, 'schema').openAPIV3Schema;
      const openApiSchema = isObject(stated) ? stated : OPEN_SCHEMA;
      const schema = compileSchema(openApiSchema, of);
      return {
        group,
        version: name,
        plural,
        singular: String(names.singular ?? kind.toLowerCase()),
        kind,
        listKind: String(names.listKind ?? `${kind}List`),
        shortNames: listOfText(names.shortNames),
        categories: listOfText(names.categories),
        namespaced,
        verbs: VERBS,
        subresources: SUBRESOURCES.filter((subresource) => isObject(subresources[subresource])),
        collection,
        storageVersion,
        custom: true,
        deprecation: deprecationOf(version, versions, { group, kind }),
        refresh: isChanged ? createRefresh(schema) : undefined,
        renderKey: `${name} ${crd.metadata.generation ?? 0}`,
        schema,
        openApi: { name: `${group.split('.').reverse().join('.')}.${name}.${kind}`, schema: openApiSchema },
        strategy: customStrategy(schema, isObject(subresources.status)),
        columns: listOf(version.additionalPrinterColumns).map(parseColumn),
        selectableFields: listOf(version.selectableFields).map(({ jsonPath }) => String(jsonPath).replace(/^\./, '')),
      };
    });
}

const SUBRESOURCES: readonly Subresource[] = ['status'];
const OPEN_SCHEMA = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** Prunes and defaults; remembers what it made of an object as long as somebody has that. */
function createRefresh(schema: CompiledSchema): (object: ApiObject) => ApiObject {
  const known = new WeakMap<ApiObject, ApiObject>();
  return (object) => {
    const before = known.get(object);
    if (before !== undefined) return before;
    const fresh = cloneJson(object);
    schema.prune(fresh);
    schema.applyDefaults(fresh);
    const result = equalJson(fresh, object) ? object : fresh;
    known.set(object, result);
    return result;
  };
}

type Of = { readonly group: string; readonly kind: string };

function deprecationOf(version: JsonObject, versions: readonly JsonObject[], { group, kind }: Of): string | undefined {
  if (version.deprecated !== true) return undefined;
  if (typeof version.deprecationWarning === 'string') return version.deprecationWarning;
  const name = String(version.name);
  const better = versions.find((one) => {
    return one.served === true && one.deprecated !== true && compareVersions(String(one.name), name) < 0;
  });
  const use = better === undefined ? '' : `; use ${group}/${better.name} ${kind}`;
  return `${group}/${name} ${kind} is deprecated${use}`;
}

function parseColumn(column: JsonObject): Column {
  return {
    name: String(column.name),
    type: String(column.type) as Column['type'],
    format: String(column.format ?? ''),
    description: describeColumn(column),
    priority: typeof column.priority === 'number' ? column.priority : 0,
    jsonPath: String(column.jsonPath),
  };
}

function describeColumn({ description, jsonPath }: JsonObject): string {
  if (typeof description === 'string' && description !== '') return description;
  return `Custom resource definition column (in JSONPath format): ${jsonPath}`;
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function listOfText(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
