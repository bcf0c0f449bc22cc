import { isObject, type JsonObject } from '../../schema/json.ts';
import { applyServerSide, typeOf, updateManagedFields } from '../index.ts';
import { GROUP, OWNED, VERSION } from './fixtures.ts';

export const API_VERSION = `${GROUP}/${VERSION}`;

const WRITE = { type: typeOf(OWNED.node), apiVersion: API_VERSION, kind: 'Owned', isCustom: true };
const MAIN = [['status']];
const STATUS = [['metadata'], ['spec']];

type Who = {
  readonly manager: string;
  readonly now?: string;
  readonly force?: boolean;
  readonly subresource?: 'status';
};

export function owned(spec: JsonObject, members: JsonObject = {}): JsonObject {
  const { metadata, ...rest } = members;
  return {
    apiVersion: API_VERSION,
    kind: 'Owned',
    metadata: { name: 'o', namespace: 'n', ...(isObject(metadata) ? metadata : {}) },
    spec,
    ...rest,
  };
}

/** An object as it lies in the store once it was written. */
export function stored(object: JsonObject): JsonObject {
  return { ...object, metadata: { uid: 'u', resourceVersion: '1', ...(object.metadata as JsonObject) } };
}

export function apply(live: JsonObject | undefined, applied: JsonObject, who: Who): JsonObject {
  return stored(applyServerSide({ ...writeOf(live, who), applied, force: who.force ?? false }).object);
}

export function update(live: JsonObject | undefined, next: JsonObject, who: Who): JsonObject {
  return stored(updateManagedFields({ ...writeOf(live, who), next }));
}

function writeOf(live: JsonObject | undefined, { manager, now = '2026-01-01T00:00:00Z', subresource }: Who) {
  return { ...WRITE, live, manager, now, subresource, resetFields: subresource === 'status' ? STATUS : MAIN };
}

/** Who owns what, as `manager operation subresource time: fieldsV1`. */
export function owners(object: JsonObject): readonly string[] {
  const { managedFields } = object.metadata as JsonObject;
  return ((managedFields ?? []) as readonly JsonObject[]).map(({ manager, operation, subresource, time, fieldsV1 }) => {
    const who = [manager, operation, subresource, String(time ?? '-').slice(0, 7)].filter((part) => part !== undefined);
    return `${who.join(' ')}: ${JSON.stringify(fieldsV1).replaceAll('"', '').replaceAll(':{}', '')}`;
  });
}
