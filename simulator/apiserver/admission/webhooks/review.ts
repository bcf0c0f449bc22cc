import { type AdmissionRequest, apiVersionOf } from '../../kinds.ts';
import { renderQuoted } from '../../schema/gotext.ts';
import { isObject, type JsonObject } from '../../schema/json.ts';
import { ApiError, type StatusObject } from '../../status.ts';

const API_VERSION = 'admission.k8s.io/v1';
const KIND = 'AdmissionReview';

/** The question, `admission.k8s.io/v1`. */
export function buildReview(request: AdmissionRequest, uid: string): JsonObject {
  const { kind, subresource, namespace, name, operation, user, object, oldObject, dryRun, options } = request;
  const gvk = { group: kind.group, version: kind.version, kind: kind.kind };
  const gvr = { group: kind.group, version: kind.version, resource: kind.plural };
  return {
    kind: KIND,
    apiVersion: API_VERSION,
    request: {
      uid,
      kind: gvk,
      resource: gvr,
      ...(subresource === undefined ? {} : { subResource: subresource }),
      requestKind: gvk,
      requestResource: gvr,
      ...(subresource === undefined ? {} : { requestSubResource: subresource }),
      ...(name === '' ? {} : { name }),
      ...(namespace === '' ? {} : { namespace }),
      operation,
      userInfo: { username: user.username, groups: user.groups, ...(user.uid === undefined ? {} : { uid: user.uid }) },
      object: withKind(object, request),
      oldObject: withKind(oldObject, request),
      dryRun,
      options,
    },
  };
}

function withKind(object: JsonObject | undefined, { kind }: AdmissionRequest): JsonObject | null {
  return object === undefined ? null : { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind };
}

/** What a webhook decided. */
export type Verdict = {
  readonly allowed: boolean;
  readonly warnings: readonly string[];
  /** A `metav1.Status`, as far as the webhook gave one. */
  readonly result: JsonObject;
};

/** Reads the answer to the question `uid`. Throws an Error in the API server's words on what is no valid answer. */
export function parseReview(review: unknown, uid: string): Verdict {
  const { apiVersion, kind, response } = isObject(review) ? review : {};
  if (!isObject(response)) throw new Error('webhook response was absent');
  if (response.uid !== uid) {
    const got = typeof response.uid === 'string' ? response.uid : '';
    throw new Error(`expected response.uid=${renderQuoted(uid)}, got ${renderQuoted(got)}`);
  }
  if (apiVersion !== API_VERSION || kind !== KIND) {
    throw new Error(`expected webhook response of ${API_VERSION}, Kind=${KIND}, got ${apiVersion}, Kind=${kind}`);
  }
  if (response.patch !== undefined && response.patch !== null && response.patch !== '') {
    throw new Error('validating webhook may not return response.patch');
  }
  if (response.patchType !== undefined && response.patchType !== null) {
    throw new Error('validating webhook may not return response.patchType');
  }
  return {
    allowed: response.allowed === true,
    warnings: Array.isArray(response.warnings) ? response.warnings.map(String) : [],
    result: isObject(response.status) ? response.status : {},
  };
}

/** The answer that a client gets when a webhook says no: the webhook's own status, made a failure. */
export function buildDenial(webhook: string, { result }: Verdict): ApiError {
  const denied = `admission webhook ${renderQuoted(webhook)} denied the request`;
  const why = [result.message, result.reason].find((text) => typeof text === 'string' && text !== '');
  const { code } = result;
  const status: StatusObject = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: isObject(result.metadata) ? result.metadata : {},
    status: 'Failure',
    message: why === undefined ? `${denied} without explanation` : `${denied}: ${why}`,
    ...(typeof result.reason === 'string' && result.reason !== '' ? { reason: result.reason } : {}),
    ...(isObject(result.details) ? { details: result.details } : {}),
    code: typeof code === 'number' && code >= 400 ? code : 400,
  };
  return new ApiError(status);
}
