import { checkLabel, checkLabelKey, checkLabelValue, checkSubdomain } from '../names.ts';
import { childPath, type FieldError, forbidden, indexPath, invalid, required, tooLong } from './fielderror.ts';
import { getOwn, isObject, type JsonObject, textOf } from './json.ts';

export type MetaRules = {
  readonly isNamespaced: boolean;
  /** What is wrong with a name, or with a prefix that a generated name begins with. */
  readonly checkName: (name: string, isPrefix: boolean) => readonly string[];
};

/** Names of custom resources: subdomains. */
export function checkSubdomainName(name: string, isPrefix: boolean): readonly string[] {
  return checkSubdomain(isPrefix && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name);
}

/** `ValidateObjectMeta`: of an object that is to be created, its name generated. `path` is that of the metadata. */
export function validateObjectMeta(meta: JsonObject, rules: MetaRules, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const name = textAt(meta, 'name');
  const generateName = textAt(meta, 'generateName');
  const namespace = textAt(meta, 'namespace');
  if (generateName !== '') {
    pushAll(errors, childPath(path, 'generateName'), generateName, rules.checkName(generateName, true));
  }
  const namePath = childPath(path, 'name');
  if (name === '') errors.push(required(namePath, 'name or generateName is required'));
  else pushAll(errors, namePath, name, rules.checkName(name, false));
  const namespacePath = childPath(path, 'namespace');
  if (rules.isNamespaced && namespace === '') errors.push(required(namespacePath, ''));
  else if (rules.isNamespaced) pushAll(errors, namespacePath, namespace, checkLabel(namespace));
  else if (namespace !== '') errors.push(forbidden(namespacePath, 'not allowed on this type'));
  const { generation } = meta;
  if (typeof generation === 'number' && generation < 0) {
    errors.push(invalid(childPath(path, 'generation'), generation, 'must be greater than or equal to 0'));
  }
  pushMapsAndOwners(errors, meta, path);
  pushFinalizers(errors, listOf(meta.finalizers), childPath(path, 'finalizers'));
  pushManagedFields(errors, meta.managedFields, childPath(path, 'managedFields'));
  return errors;
}

/** `ValidateObjectMetaUpdate`. */
export function validateObjectMetaUpdate(meta: JsonObject, old: JsonObject, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (typeof old.deletionTimestamp === 'string') pushNewFinalizers(errors, meta, old, childPath(path, 'finalizers'));
  if (textAt(meta, 'resourceVersion') === '') {
    errors.push(invalid(childPath(path, 'resourceVersion'), '', 'must be specified for an update'));
  }
  const generation = numberAt(meta, 'generation');
  if (generation < numberAt(old, 'generation')) {
    errors.push(invalid(childPath(path, 'generation'), generation, 'must not be decremented'));
  }
  for (const { key, empty } of IMMUTABLE) {
    const value = getOwn(meta, key) ?? empty;
    if (value === (getOwn(old, key) ?? empty)) continue;
    errors.push(invalid(childPath(path, key), value, 'field is immutable'));
  }
  pushMapsAndOwners(errors, meta, path);
  pushManagedFields(errors, meta.managedFields, childPath(path, 'managedFields'));
  return errors;
}

const IMMUTABLE: readonly { readonly key: string; readonly empty: unknown }[] = [
  { key: 'name', empty: '' },
  { key: 'namespace', empty: '' },
  { key: 'uid', empty: '' },
  { key: 'creationTimestamp', empty: null },
  { key: 'deletionTimestamp', empty: null },
  { key: 'deletionGracePeriodSeconds', empty: null },
];

function pushMapsAndOwners(errors: FieldError[], meta: JsonObject, path: string): void {
  if (isObject(meta.labels)) pushLabels(errors, meta.labels, childPath(path, 'labels'));
  if (isObject(meta.annotations)) pushAnnotations(errors, meta.annotations, childPath(path, 'annotations'));
  pushOwners(errors, listOf(meta.ownerReferences).filter(isObject), childPath(path, 'ownerReferences'));
}

function pushLabels(errors: FieldError[], labels: JsonObject, path: string): void {
  for (const [key, value] of Object.entries(labels)) {
    pushAll(errors, path, key, checkLabelKey(key));
    pushAll(errors, path, value, checkLabelValue(textOf(value)));
  }
}

function pushAnnotations(errors: FieldError[], annotations: JsonObject, path: string): void {
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    pushAll(errors, path, key, checkLabelKey(key.toLowerCase()));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(textOf(value));
  }
  if (bytes > MAX_ANNOTATION_BYTES) errors.push(tooLong(path, MAX_ANNOTATION_BYTES));
}

const MAX_ANNOTATION_BYTES = 262_144;

function pushOwners(errors: FieldError[], owners: readonly JsonObject[], path: string): void {
  let controller: string | undefined;
  for (const owner of owners) {
    const [apiVersion, kind, name, uid] = textsAt(owner, ['apiVersion', 'kind', 'name', 'uid']);
    const version = apiVersion.split('/').at(-1) ?? '';
    if (version === '') errors.push(invalid(childPath(path, 'apiVersion'), apiVersion, 'version must not be empty'));
    for (const [key, value] of Object.entries({ kind, name, uid })) {
      if (value === '') errors.push(invalid(childPath(path, key), value, 'must not be empty'));
    }
    if (apiVersion === 'v1' && kind === 'Event') {
      const detail = '/v1, Kind=Event is disallowed from being an owner';
      errors.push({ ...invalid(path, owner, detail), shown: renderOwner(owner) });
    }
    if (owner.controller !== true) continue;
    if (controller !== undefined) {
      const found = `Found "true" in references for ${controller} and ${kind}/${name}`;
      const shown = `[${owners.map(renderOwner).join(',')}]`;
      errors.push({ ...invalid(path, owners, `Only one reference can have Controller set to true. ${found}`), shown });
    } else controller = `${kind}/${name}`;
  }
}

/** As Go prints it, its fields in their order. */
function renderOwner(owner: JsonObject): string {
  const keys = ['apiVersion', 'kind', 'name', 'uid', 'controller', 'blockOwnerDeletion'];
  return JSON.stringify(Object.fromEntries(keys.map((key) => [key, owner[key]])));
}

function pushFinalizers(errors: FieldError[], finalizers: readonly unknown[], path: string): void {
  for (const finalizer of finalizers) pushAll(errors, path, finalizer, checkLabelKey(textOf(finalizer)));
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    const detail = 'finalizer orphan and foregroundDeletion cannot be both set';
    errors.push(invalid(path, finalizers, detail));
  }
}

function pushNewFinalizers(errors: FieldError[], meta: JsonObject, old: JsonObject, path: string): void {
  const known = new Set(listOf(old.finalizers));
  const added = [...new Set(listOf(meta.finalizers))].filter((finalizer) => !known.has(finalizer)).map(textOf);
  if (added.length === 0) return;
  const shown = added
    .sort()
    .map((finalizer) => JSON.stringify(finalizer))
    .join(', ');
  const reason = 'no new finalizers can be added if the object is being deleted';
  errors.push(forbidden(path, `${reason}, found new finalizers []string{${shown}}`));
}

function pushManagedFields(errors: FieldError[], managedFields: unknown, path: string): void {
  for (const [index, entry] of listOf(managedFields).entries()) {
    if (!isObject(entry)) continue;
    const at = indexPath(path, index);
    const [operation, fieldsType, manager, subresource] = textsAt(entry, FIELDS);
    if (operation !== 'Apply' && operation !== 'Update') {
      errors.push(invalid(childPath(at, 'operation'), operation, 'must be `Apply` or `Update`'));
    }
    if (fieldsType !== '' && fieldsType !== 'FieldsV1') {
      errors.push(invalid(childPath(at, 'fieldsType'), fieldsType, 'must be `FieldsV1`'));
    }
    if (Buffer.byteLength(manager) > 128) errors.push(tooLong(childPath(at, 'manager'), 128));
    if (Buffer.byteLength(subresource) > 256) errors.push(tooLong(childPath(at, 'subresource'), 256));
  }
}

function pushAll(errors: FieldError[], path: string, value: unknown, details: readonly string[]): void {
  for (const detail of details) errors.push(invalid(path, value, detail));
}

const FIELDS = ['operation', 'fieldsType', 'manager', 'subresource'] as const;

/** Members as texts, empty where there is none. */
function textsAt<const K extends readonly string[]>(object: JsonObject, keys: K): { readonly [I in keyof K]: string } {
  return keys.map((key) => textAt(object, key)) as { readonly [I in keyof K]: string };
}

function textAt(object: JsonObject, key: string): string {
  return textOf(getOwn(object, key));
}

function numberAt(object: JsonObject, key: string): number {
  const value = getOwn(object, key);
  return typeof value === 'number' ? value : 0;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
