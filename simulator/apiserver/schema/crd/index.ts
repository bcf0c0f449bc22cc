import { checkLabel1035, checkSubdomain } from '../../names.ts';
import { childPath, type FieldError, forbidden, indexPath, invalid, notSupported, required } from '../fielderror.ts';
import { equalJson, isObject, type JsonObject, textOf } from '../json.ts';
import { checkColumns, checkConversion, checkSelectableFields } from './columns.ts';
import { checkDefaults } from './defaults.ts';
import { checkKeywords, hasUnsupported } from './keywords.ts';
import { checkNames } from './names.ts';
import { checkExpressions } from './rules.ts';
import { validateStructural } from './structural.ts';

/**
 * What is wrong with a CustomResourceDefinition but for its metadata, in the API server's words and order. `old` is the stored one on update. The
 * estimated cost of rules in CEL is not judged.
 */
export function validateCrd(crd: JsonObject, old?: JsonObject): readonly FieldError[] {
  const errors: FieldError[] = [];
  const spec = objectOf(crd, 'spec');
  const { name } = objectOf(crd, 'metadata');
  const expected = `${textOf(objectOf(spec, 'names').plural)}.${textOf(spec.group)}`;
  if (old === undefined && name !== expected) {
    errors.push(invalid('metadata.name', name ?? '', 'must be spec.names.plural+"."+spec.group'));
  }
  checkSpec(errors, spec);
  if (old !== undefined) checkFixed(errors, spec, old);
  checkStoredVersions(errors, crd, versionsOf(spec));
  if (spec.preserveUnknownFields === true) {
    const detail =
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    errors.push(invalid('spec.preserveUnknownFields', true, detail));
  }
  return errors;
}

function checkSpec(errors: FieldError[], spec: JsonObject): void {
  const versions = versionsOf(spec);
  checkGroupAndScope(errors, spec);
  const shared = (key: string) =>
    versions.length > 0 && versions.every((version) => equalJson(version[key], versions[0]?.[key]));
  for (const [index, version] of versions.entries()) {
    if (isObject(objectOf(version, 'schema').openAPIV3Schema)) continue;
    errors.push(required(`${indexPath('spec.versions', index)}.schema.openAPIV3Schema`, ''));
  }
  for (const [index, version] of versions.entries()) {
    const path = indexPath('spec.versions', index);
    const details = checkLabel1035(textOf(version.name));
    if (details.length > 0) errors.push(invalid(childPath(path, 'name'), version.name ?? '', details.join(',')));
    checkVersion(errors, version, path, (key) => !shared(key));
  }
  checkVersions(errors, spec, shared);
  const version = textOf(versions[0]?.name);
  const details = version === '' ? [] : checkLabel1035(version);
  if (details.length > 0) errors.push(invalid('spec.version', version, details.join(',')));
  const names = objectOf(spec, 'names');
  for (const key of ['plural', 'singular', 'kind', 'listKind']) {
    if (isEmpty(names[key])) errors.push(required(`spec.names.${key}`, ''));
  }
  checkNames(errors, names, 'spec.names');
  const [first] = versions;
  if (first !== undefined) checkVersion(errors, first, 'spec', shared);
  if (isObject(spec.conversion)) checkConversion(errors, spec.conversion, 'spec.conversion');
}

function checkGroupAndScope(errors: FieldError[], { group, scope }: JsonObject): void {
  const text = typeof group === 'string' ? group : '';
  const details = checkSubdomain(text);
  if (text === '') errors.push(required('spec.group', ''));
  else if (details.length > 0) errors.push(invalid('spec.group', text, details.join(',')));
  else if (!text.includes('.')) errors.push(invalid('spec.group', text, 'should be a domain with at least one dot'));
  if (isEmpty(scope)) errors.push(required('spec.scope', ''));
  else if (scope !== 'Cluster' && scope !== 'Namespaced') {
    errors.push(notSupported('spec.scope', scope, ['Cluster', 'Namespaced']));
  }
}

/** What all versions share is checked once, below `spec`: the API server keeps it there. `isHere` tells what is to be checked. */
function checkVersion(errors: FieldError[], version: JsonObject, path: string, isHere: (key: string) => boolean): void {
  const { openAPIV3Schema: schema } = objectOf(version, 'schema');
  const schemaPath = `${childPath(path, path === 'spec' ? 'validation' : 'schema')}.openAPIV3Schema`;
  const hasStatus = isObject(objectOf(version, 'subresources').status);
  if (isHere('schema') && isObject(schema)) checkSchema(errors, schema, schemaPath, hasStatus);
  if (isHere('additionalPrinterColumns')) {
    checkColumns(errors, version.additionalPrinterColumns, childPath(path, 'additionalPrinterColumns'));
  }
  if (isHere('selectableFields') && isObject(schema)) {
    checkSelectableFields(errors, version.selectableFields, schema, childPath(path, 'selectableFields'));
  }
}

function checkSchema(errors: FieldError[], schema: JsonObject, path: string, hasStatus: boolean): void {
  const found: FieldError[] = [];
  if (hasStatus && !isEmpty(schema.type) && schema.type !== 'object') {
    const detail =
      'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    found.push(invalid(childPath(path, 'type'), schema.type, detail));
  }
  if (schema.nullable === true)
    found.push(forbidden(childPath(path, 'nullable'), 'nullable cannot be true at the root'));
  const isReadable = !hasUnsupported(schema);
  if (isReadable) found.push(...validateStructural(schema, path));
  const isStructural = isReadable && found.length === 0;
  if (isStructural) checkDefaults(found, schema, path);
  const isDefaulted = isStructural && found.length === 0;
  checkKeywords(found, schema, path, true);
  if (isDefaulted && found.length === 0) checkExpressions(found, schema, path);
  errors.push(...found);
}

function checkVersions(errors: FieldError[], spec: JsonObject, shared: (key: string) => boolean): void {
  const versions = versionsOf(spec);
  const shown = Array.isArray(spec.versions) ? renderVersions(versions, shared) : 'null';
  const report = (detail: string) => errors.push({ ...invalid('spec.versions', versions, detail), shown });
  if (new Set(versions.map(({ name }) => name)).size < versions.length) report('must contain unique version names');
  if (versions.filter(({ storage }) => storage === true).length !== 1) {
    report('must have exactly one version marked as storage version');
  }
}

/** As the API server's own type prints, but that a schema which is not shared by all versions is shown as it was written. */
function renderVersions(versions: readonly JsonObject[], shared: (key: string) => boolean): string {
  const texts = versions.map((version) => {
    const own = (key: string) => (shared(key) ? null : (version[key] ?? null));
    return JSON.stringify({
      Name: version.name ?? '',
      Served: version.served === true,
      Storage: version.storage === true,
      Deprecated: version.deprecated === true,
      DeprecationWarning: version.deprecationWarning ?? null,
      Schema: own('schema'),
      Subresources: own('subresources'),
      AdditionalPrinterColumns: own('additionalPrinterColumns'),
      SelectableFields: own('selectableFields'),
    });
  });
  return `[${texts.join(',')}]`;
}

function checkFixed(errors: FieldError[], spec: JsonObject, old: JsonObject): void {
  const before = objectOf(old, 'spec');
  const names = objectOf(spec, 'names');
  const oldNames = objectOf(before, 'names');
  const hold = (path: string, value: unknown, was: unknown) => {
    if (value !== was) errors.push(invalid(path, value ?? '', 'field is immutable'));
  };
  if (isEstablished(old)) {
    hold('spec.scope', spec.scope, before.scope);
    hold('spec.names.kind', names.kind, oldNames.kind);
  }
  hold('spec.group', spec.group, before.group);
  hold('spec.names.plural', names.plural, oldNames.plural);
}

function isEstablished(crd: JsonObject): boolean {
  const { conditions } = objectOf(crd, 'status');
  return (
    Array.isArray(conditions) &&
    conditions.filter(isObject).some(({ type, status }) => type === 'Established' && status === 'True')
  );
}

function checkStoredVersions(errors: FieldError[], crd: JsonObject, versions: readonly JsonObject[]): void {
  const path = 'status.storedVersions';
  const { storedVersions } = objectOf(crd, 'status');
  const stored = Array.isArray(storedVersions) ? storedVersions.map(textOf) : [];
  if (stored.length === 0) {
    errors.push(invalid(path, storedVersions ?? null, 'must have at least one stored version'));
    return;
  }
  const unmet = new Set(stored);
  for (const { name, storage } of versions) {
    const isStored = unmet.delete(textOf(name));
    if (storage === true && !isStored) {
      errors.push(invalid(path, stored, `must have the storage version ${textOf(name)}`));
    }
  }
  for (const [index, version] of stored.entries()) {
    if (!unmet.has(version)) continue;
    const detail = [
      `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions`,
      `until a storage migration ensures no data remains persisted in ${version}`,
      `and removes ${version} from status.storedVersions`,
    ].join(' ');
    errors.push(invalid(indexPath(path, index), version, detail));
  }
}

function versionsOf(spec: JsonObject): readonly JsonObject[] {
  return Array.isArray(spec.versions) ? spec.versions.filter(isObject) : [];
}

function objectOf(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return isObject(value) ? value : {};
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}
