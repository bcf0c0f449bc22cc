import { answerObject, JSON_HEADERS, renderList } from './answers.ts';
import {
  contentTypeOf,
  notTypeMeta,
  PROTOBUF,
  parseJsonText,
  parsePlainBody,
  parseYamlText,
  readObjectBody,
} from './body.ts';
import { checkName, ensureNamespace } from './checks.ts';
import { chain, nowOf, type WriteCall } from './core.ts';
import { createObject } from './create.ts';
import { decodeBody } from './decode.ts';
import { deleteObject } from './delete.ts';
import { trackUpdate } from './fields.ts';
import { groupResource, type ServedKind, type Subresource } from './kinds.ts';
import { listPage } from './list.ts';
import { parseListOptions } from './listoptions.ts';
import { type ApiObject, renderTime } from './object.ts';
import { parseDeleteOptions, parseWriteOptions, type WriteKind, type WriteOptions } from './options.ts';
import { managerOf } from './patch/index.ts';
import { buildPatchUpdate, patchTypeOf } from './patchobject.ts';
import type { ApiAnswer } from './request.ts';
import type { Answer, ResourceCall } from './resourcecall.ts';
import { invalid as invalidField } from './schema/fielderror.ts';
import { isObject, type JsonObject } from './schema/json.ts';
import { parseSelection } from './selection.ts';
import { badRequest, invalid, notFound, unsupportedMediaType } from './status.ts';
import { updateObject } from './update.ts';

export function answerCreate(call: ResourceCall): Answer {
  const { kind, path, request } = call;
  if (path.subresource === 'token') return answerToken(call);
  const write = buildWrite(call, 'CreateOptions');
  const decoding = { validation: write.options.fieldValidation, warn: call.warn };
  const object = decodeBody(readObjectBody(request, kind), kind, decoding, request.body);
  return chain(createObject(write, object), (created) => answerObject(call, 201, created));
}

const MIN_TOKEN_SECONDS = 600;

/** `TokenRequest`: a token by which its bearer is the ServiceAccount. */
function answerToken({ core, kind, path, request }: ResourceCall): ApiAnswer {
  const { namespace, name } = path;
  const account = kind.collection.get(namespace, name);
  if (account === undefined) throw notFound(groupResource(kind), name);
  const asked = parsePlainBody(request, 'TokenRequest');
  const spec = isObject(asked.spec) ? asked.spec : {};
  const { expirationSeconds = 3600, audiences = ['https://kubernetes.default.svc'] } = spec;
  if (Number(expirationSeconds) < MIN_TOKEN_SECONDS) {
    const of = { group: 'authentication.k8s.io', kind: 'TokenRequest' };
    const why = 'may not specify a duration less than 10 minutes';
    throw invalid(of, '', [invalidField('spec.expirationSeconds', expirationSeconds, why)]);
  }
  const expiresAtMs = core.clock.now() + Number(expirationSeconds) * 1000;
  const token = core.tokens.issue(
    { namespace, name, uid: account.object.metadata.uid ?? '', audiences },
    { issuedAtMs: core.clock.now(), expiresAtMs },
  );
  const metadata = { name, namespace, uid: account.object.metadata.uid, creationTimestamp: nowOf(core) };
  const status = { token, expirationTimestamp: renderTime(expiresAtMs) };
  const head = { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1' };
  const body = JSON.stringify({
    ...head,
    metadata,
    spec: { boundObjectRef: null, ...spec, audiences, expirationSeconds },
    status,
  });
  return { status: 201, headers: JSON_HEADERS, body };
}

export function answerUpdate(call: ResourceCall): Answer {
  const { kind, path, request } = call;
  const write = buildWrite(call, 'UpdateOptions');
  const decoding = { validation: write.options.fieldValidation, warn: call.warn };
  const decoded = decodeBody(readObjectBody(request, kind), kind, decoding, request.body);
  const object = ensureNamespace(write, decoded);
  checkName(path.name, object);
  const updated = updateObject(write, {
    allowCreate: kind.strategy.allowCreateOnUpdate && path.subresource === '',
    uid: object.metadata.uid,
    transform: (existing) => trackUpdate(write, existing, object),
  });
  return chain(updated, ({ object: after, created }) => answerObject(call, created ? 201 : 200, after));
}

export function answerPatch(call: ResourceCall): Answer {
  const type = patchTypeOf(call.request, call.kind);
  const write = buildWrite(call, 'PatchOptions', type === 'apply');
  const updated = updateObject(write, buildPatchUpdate(write, call.request, type));
  return chain(updated, ({ object, created }) => answerObject(call, created ? 201 : 200, object));
}

export function answerDelete(call: ResourceCall): Answer {
  const { kind, path, query } = call;
  const options = parseDeleteOptions(parseDeleteBody(call), query);
  const write = buildDelete(call, options.dryRun, path.name);
  return chain(deleteObject(write, options), ({ object, gone }) => {
    const isWaiting = !gone && options.orphanDependents === false;
    if (!gone || kind.strategy.returnsDeleted === true) return answerObject(call, isWaiting ? 202 : 200, object);
    return { status: 200, headers: JSON_HEADERS, body: JSON.stringify(deletedStatus(kind, object)) };
  });
}

function deletedStatus({ group, plural }: ServedKind, { metadata }: ApiObject): JsonObject {
  const details = { name: metadata.name, ...(group === '' ? {} : { group }), kind: plural, uid: metadata.uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

export function answerDeleteCollection(call: ResourceCall): Answer {
  const { core, kind, path, query } = call;
  const selection = parseSelection(kind, query, path.namespace, path.name);
  const options = parseDeleteOptions(parseDeleteBody(call), query);
  const page = listPage(core, kind, selection, parseListOptions(query));
  const answer = (): ApiAnswer => ({ status: 200, headers: JSON_HEADERS, body: renderList(call, page) });
  const deleteFrom = (index: number): Answer => {
    for (let at = index; at < page.items.length; at += 1) {
      const item = page.items[at];
      if (item === undefined || kind.collection.get(item.namespace, item.name) === undefined) continue;
      const write = { ...buildDelete(call, options.dryRun, item.name), namespace: item.namespace };
      const deleted = deleteObject(write, options);
      if (deleted instanceof Promise) return deleted.then(() => deleteFrom(at + 1));
    }
    return answer();
  };
  return deleteFrom(0);
}

function parseDeleteBody({ request }: ResourceCall): JsonObject | undefined {
  if (request.body === undefined || request.body === '') return undefined;
  const type = contentTypeOf(request);
  if (type === PROTOBUF) return parsePlainBody(request, 'DeleteOptions');
  if (type !== 'application/json' && type !== 'application/yaml') throw unsupportedMediaType(DELETE_TYPES);
  const parsed = type === 'application/json' ? parseJsonText(request.body) : { value: parseYamlText(request.body) };
  if ('error' in parsed) throw badRequest(`couldn't get version/kind; json parse error: ${parsed.error}`);
  const { value } = parsed;
  if (value === null) return undefined;
  if (!isObject(value)) throw badRequest(`couldn't get version/kind; json parse error: ${notTypeMeta(value)}`);
  const { kind = 'DeleteOptions', apiVersion = 'v1' } = value;
  if (kind !== 'DeleteOptions') {
    throw badRequest(
      `no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:111"`,
    );
  }
  return value;
}

const DELETE_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

function buildWrite(call: ResourceCall, kind: WriteKind, isApply = false): WriteCall {
  const options = parseWriteOptions(call.query, kind, isApply);
  const { path } = call;
  return { ...commonWrite(call, options, path.name), optionsObject: optionsObject(kind, options) };
}

function buildDelete(call: ResourceCall, dryRun: boolean, name: string): WriteCall {
  const options: WriteOptions = { dryRun, fieldManager: '', fieldValidation: 'Ignore', force: undefined };
  return { ...commonWrite(call, options, name), optionsObject: optionsObject('DeleteOptions', options) };
}

function commonWrite(call: ResourceCall, options: WriteOptions, name: string): Omit<WriteCall, 'optionsObject'> {
  const { core, kind, path, request, warn, record } = call;
  return {
    core,
    kind,
    namespace: path.namespace,
    name,
    subresource: path.subresource === '' ? undefined : (path.subresource as Subresource),
    user: request.user,
    manager: managerOf(options.fieldManager, request.headers['user-agent'] ?? ''),
    options,
    bodyBytes: request.body?.length ?? 0,
    warn,
    record,
  };
}

/** The options as admission webhooks see them: a patch is an update to them. */
function optionsObject(kind: WriteKind | 'DeleteOptions', options: WriteOptions): JsonObject {
  const { dryRun, fieldManager, fieldValidation } = options;
  return {
    kind: kind === 'PatchOptions' ? 'UpdateOptions' : kind,
    apiVersion: 'meta.k8s.io/v1',
    ...(dryRun ? { dryRun: ['All'] } : {}),
    ...(fieldManager === '' ? {} : { fieldManager }),
    ...(kind === 'DeleteOptions' ? {} : { fieldValidation }),
  };
}
