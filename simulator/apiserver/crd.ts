import type { Column, ServedKind, Subresource, Verb } from './kinds.ts';
import { type ApiObject, objectAt } from './object.ts';
import { compileSchema } from './schema/index.ts';
import { isObject, type JsonObject } from './schema/json.ts';
import type { Store } from './store.ts';
import { customStrategy } from './strategy.ts';

const VERBS: readonly Verb[] = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];

/** The kinds that a CustomResourceDefinition makes, one for each served version. */
export function buildCustomKinds(crd: ApiObject, store: Store): readonly ServedKind[] {
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

function parseColumn(column: JsonObject): Column {
  return {
    name: String(column.name),
    type: String(column.type) as Column['type'],
    format: String(column.format ?? ''),
    description: String(column.description ?? ''),
    priority: typeof column.priority === 'number' ? column.priority : 0,
    jsonPath: String(column.jsonPath),
  };
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function listOfText(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
