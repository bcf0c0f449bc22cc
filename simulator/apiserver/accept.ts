import { stringify } from 'yaml';
import type { ApiAnswer, ApiRequest } from './request.ts';
import { failure, notAcceptable } from './status.ts';

/** What the client wants of an object or a list. */
export type Representation = {
  readonly of: 'object' | 'metadata' | 'table';
  /** Of `meta.k8s.io`, for what is not the object itself. */
  readonly version: 'v1' | 'v1beta1';
};

const PLAIN: Representation = { of: 'object', version: 'v1' };
const KINDS: Readonly<Record<string, Representation['of']>> = {
  PartialObjectMetadata: 'metadata',
  PartialObjectMetadataList: 'metadata',
  Table: 'table',
};

/** The first of what the client accepts that this server has. Throws `ApiError` when there is none. */
export function representationOf(request: ApiRequest, of: 'object' | 'list' | 'watch' = 'object'): Representation {
  const { accept } = request.headers;
  if (accept === undefined || accept === '' || accept === 'application/json') return PLAIN;
  const isWatch = of === 'watch';
  for (const clause of clausesOf(accept)) {
    if (!(isWatch ? JSON_TYPES : TYPES).has(clause.type)) continue;
    const as = clause.parameters.get('as');
    if (as === undefined) return PLAIN;
    const known = KINDS[as];
    const version = clause.parameters.get('v') ?? 'v1';
    if (known === undefined || clause.parameters.get('g') !== 'meta.k8s.io') continue;
    if (version !== 'v1' && version !== 'v1beta1') continue;
    if (known === 'metadata' && (of === 'list') !== as.endsWith('List')) throw otherForm(as, of === 'list');
    return { of: known, version };
  }
  // YAML is known, only not line by line.
  throw notAcceptable(isWatch && accept.includes('yaml') ? STREAMED : ACCEPTED);
}

/** A list was asked for as one object, or the other way round. */
function otherForm(as: string, isList: boolean): Error {
  if (!isList) return failure(500, '', 'content is not a list');
  const actual = 'the requested object is a list (*unstructured.UnstructuredList)';
  return failure(406, 'NotAcceptable', `you requested ${as}, but ${actual}`);
}

type Clause = { readonly type: string; readonly parameters: ReadonlyMap<string, string> };

const JSON_TYPES: ReadonlySet<string> = new Set(['application/json', 'application/*', '*/*']);
const TYPES: ReadonlySet<string> = new Set([...JSON_TYPES, 'application/yaml']);
const STREAMED = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'];
const ACCEPTED = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

function clausesOf(accept: string): readonly Clause[] {
  return accept.split(',').map((clause) => {
    const [type = '', ...parameters] = clause.split(';').map((part) => part.trim());
    return { type, parameters: new Map(parameters.map(splitParameter)) };
  });
}

function splitParameter(parameter: string): readonly [string, string] {
  const [name = '', value = ''] = parameter.split('=');
  return [name.trim().toLowerCase(), value.trim()];
}

/** The answer in YAML, for clients that would rather have that than JSON. */
export function withFormat(request: ApiRequest, answer: ApiAnswer): ApiAnswer {
  const { accept } = request.headers;
  if (accept === undefined || !accept.includes('yaml') || answer.watch !== undefined) return answer;
  const first = clausesOf(accept).find(({ type }) => TYPES.has(type));
  if (first?.type !== 'application/yaml' || answer.headers['content-type'] !== 'application/json') return answer;
  const options = {
    indentSeq: false,
    sortMapEntries: true,
    singleQuote: true,
    lineWidth: 80,
    compat: 'yaml-1.1',
    aliasDuplicateObjects: false,
  } as const;
  const body = stringify(JSON.parse(answer.body), options);
  return { ...answer, headers: { ...answer.headers, 'content-type': 'application/yaml' }, body };
}
