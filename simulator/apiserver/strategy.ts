import type { Strategy } from './kinds.ts';
import { type ApiObject, withMeta } from './object.ts';
import type { CompiledSchema } from './schema/index.ts';
import { equalJson } from './schema/json.ts';

/** How custom resources behave; `hasStatus`: the status is a subresource. */
export function customStrategy(schema: CompiledSchema, hasStatus: boolean): Strategy {
  return {
    allowCreateOnUpdate: false,
    allowUnconditionalUpdate: false,
    prepareForCreate: (object) => withMeta(hasStatus ? resetStatus(object, schema) : object, { generation: 1 }),
    validate: (object) => schema.validate(object),
    prepareForUpdate: (object, old) => {
      const next = hasStatus ? takeMember(object, old, 'status') : object;
      return sameBesideMeta(next, old) ? next : withMeta(next, { generation: (old.metadata.generation ?? 0) + 1 });
    },
    validateUpdate: (object, old) => schema.validate(object, { old }),
    prepareForStatusUpdate: onlyStatus,
    validateStatusUpdate: (object, old) => schema.validate(object, { old, subresource: 'status' }),
    garbageCollection: 'background',
    warnings: warnOfFinalizers,
    resetFields: hasStatus ? [['status']] : [],
    statusResetFields: [['metadata'], ['spec']],
  };
}

/** A new object has no status but the schema's default one: defaults go over what is stored, too. */
function resetStatus(object: ApiObject, schema: CompiledSchema): ApiObject {
  const { status: _, ...rest } = object;
  schema.applyDefaults(rest);
  return rest as ApiObject;
}

/** Of a custom resource: finalizers that were just added without a domain. */
function warnOfFinalizers({ metadata }: ApiObject, old: ApiObject | undefined): readonly string[] {
  const known = old?.metadata.finalizers ?? [];
  const added = (metadata.finalizers ?? []).filter((name) => !known.includes(name) && !name.includes('/'));
  const why = 'prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers';
  const odd = added.filter((name) => name !== 'orphan' && name !== 'foregroundDeletion' && name !== 'kubernetes');
  return [...odd].sort().map((name) => `metadata.finalizers: ${JSON.stringify(name)}: ${why}`);
}

/** `object` with the member as it is in `from`, or without it. */
export function takeMember(object: ApiObject, from: ApiObject, member: string): ApiObject {
  const value = from[member];
  if (value === undefined) return dropMember(object, member);
  return object[member] === value ? object : { ...object, [member]: value };
}

export function dropMember(object: ApiObject, member: string): ApiObject {
  if (object[member] === undefined) return object;
  const { [member]: _, ...rest } = object;
  return rest as ApiObject;
}

/** `old` with the status of `object`, and with its `managedFields`, which note the write. */
export function onlyStatus(object: ApiObject, old: ApiObject): ApiObject {
  const kept = withMeta(old, { managedFields: object.metadata.managedFields });
  return takeMember(kept, object, 'status');
}

function sameBesideMeta(a: ApiObject, b: ApiObject): boolean {
  const { metadata: _, ...restA } = a;
  const { metadata: __, ...restB } = b;
  return equalJson(restA, restB);
}
