import { checkLabelKey } from '../names.ts';
import { type ApiObject, objectAt } from '../object.ts';
import { type FieldError, invalid, required } from '../schema/index.ts';
import { equalJson, type JsonObject } from '../schema/json.ts';

/** Events are kept as the core API has them; the newer API calls the same members by other names. */
const NAMES: readonly (readonly [newer: string, core: string])[] = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
];
const TO_CORE = new Map(NAMES);
const TO_NEWER = new Map(NAMES.map(([newer, core]) => [core, newer]));

export const EVENT_CONVERSION = {
  toStorage: (object: ApiObject): ApiObject => ({
    firstTimestamp: null,
    lastTimestamp: null,
    ...rename(object, TO_CORE, 'v1'),
  }),
  fromStorage: (object: ApiObject): ApiObject => ({
    // Times that Go always writes, in either API.
    deprecatedFirstTimestamp: null,
    deprecatedLastTimestamp: null,
    ...withoutReporter(rename(object, TO_NEWER, 'events.k8s.io/v1')),
  }),
};

/** The core API writes who reports also where nobody does. */
function withoutReporter(event: ApiObject): ApiObject {
  const { reportingController, reportingInstance, ...rest } = event;
  return {
    ...rest,
    ...(reportingController === '' || reportingController === undefined ? {} : { reportingController }),
    ...(reportingInstance === '' || reportingInstance === undefined ? {} : { reportingInstance }),
  } as ApiObject;
}

function rename(object: ApiObject, names: ReadonlyMap<string, string>, apiVersion: string): ApiObject {
  const entries = Object.entries(object).map(([name, value]) => [names.get(name) ?? name, value] as const);
  return { ...Object.fromEntries(entries), apiVersion } as ApiObject;
}

const INVOLVED = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];
export const CORE_EVENT_FIELDS = [
  ...INVOLVED.map((member) => `involvedObject.${member}`),
  'reason',
  'reportingComponent',
  'source',
  'type',
];
export const EVENT_FIELDS = [
  ...INVOLVED.map((member) => `regarding.${member}`),
  'reason',
  'reportingController',
  'type',
];

export function validateCoreEvent(event: ApiObject): readonly FieldError[] {
  return checkLegacy(event, 'reportingComponent');
}

/** The newer API holds Events to more, under the names that the core API has for their members. */
export function validateNewerEvent(object: ApiObject, old: ApiObject | undefined): readonly FieldError[] {
  const event = EVENT_CONVERSION.toStorage(object);
  const errors = [...checkLegacy(event, 'reportingController')];
  if (old !== undefined) return [...errors, ...checkFixed(event, EVENT_CONVERSION.toStorage(old))];
  errors.push(...checkSeries(event));
  if (!isSet(event.eventTime)) errors.push(required('eventTime', ''));
  if (event.type !== 'Normal' && event.type !== 'Warning') {
    errors.push(invalid('type', '', `has invalid value: ${event.type ?? ''}`));
  }
  for (const member of ['firstTimestamp', 'lastTimestamp', 'count']) {
    if (isSet(event[member])) errors.push(invalid(member, '', 'needs to be unset'));
  }
  if (Object.values(objectAt(event, 'source')).some(isSet)) errors.push(invalid('source', '', 'needs to be unset'));
  return errors;
}

const FIXED = [
  ...['involvedObject', 'reason', 'message', 'source', 'firstTimestamp', 'lastTimestamp', 'count', 'type', 'eventTime'],
  ...['action', 'related'],
];

function checkFixed(event: ApiObject, old: ApiObject): readonly FieldError[] {
  const errors = equalJson(event.series, old.series) ? [] : [...checkSeries(event)];
  for (const member of FIXED) {
    if (!equalJson(event[member], old[member])) errors.push(invalid(member, event[member], 'field is immutable'));
  }
  return errors;
}

function checkSeries(event: ApiObject): readonly FieldError[] {
  if (event.series === undefined) return [];
  const { count, lastObservedTime } = objectAt(event, 'series');
  const errors: FieldError[] = [];
  if (typeof count !== 'number' || count < 2) errors.push(invalid('series.count', '', 'should be at least 2'));
  if (!isSet(lastObservedTime)) errors.push(required('series.lastObservedTime', ''));
  return errors;
}

const ANYWHERE: ReadonlySet<string> = new Set(['default', 'kube-system']);
const LIMITS: readonly (readonly [member: string, max: number])[] = [
  ['reportingInstance', 128],
  ['action', 128],
  ['reason', 128],
  ['message', 1024],
];

function checkLegacy(event: ApiObject, reporter: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { namespace = '' } = event.metadata;
  const about = String(objectAt(event, 'involvedObject').namespace ?? '');
  const isNew = isSet(event.eventTime);
  const isAnywhere = isNew ? ANYWHERE.has(namespace) : namespace === 'default';
  const fits = about === '' ? isAnywhere : isNew || about === namespace;
  if (!fits) errors.push(invalid('involvedObject.namespace', about, 'does not match event.namespace'));
  return isNew ? [...errors, ...checkNew(event, reporter)] : errors;
}

function checkNew(event: JsonObject, reporter: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const controller = String(event.reportingComponent ?? '');
  if (controller === '') errors.push(required(reporter, ''));
  errors.push(...checkLabelKey(controller).map((detail) => invalid(reporter, controller, detail)));
  for (const [member, max] of LIMITS) {
    const text = String(event[member] ?? '');
    if (text === '' && member !== 'message') errors.push(required(member, ''));
    if (Buffer.byteLength(text) > max) errors.push(invalid(member, '', `can have at most ${max} characters`));
  }
  return errors;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && value !== 0;
}
