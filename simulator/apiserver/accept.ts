import type { ApiRequest } from './request.ts';
import { notAcceptable } from './status.ts';

/** What the client wants of an object or a list. */
export type Representation = 'object' | 'metadata' | 'table';

const KINDS: Readonly<Record<string, Representation>> = {
  PartialObjectMetadata: 'metadata',
  PartialObjectMetadataList: 'metadata',
  Table: 'table',
};

/** The first of what the client accepts that this server has, which is JSON. Throws `ApiError` when there is none. */
export function representationOf(request: ApiRequest): Representation {
  const { accept } = request.headers;
  if (accept === undefined || accept === '' || accept === 'application/json') return 'object';
  for (const clause of accept.split(',')) {
    const [type = '', ...parameters] = clause.split(';').map((part) => part.trim());
    if (!JSON_TYPES.has(type)) continue;
    const named = new Map(parameters.map((parameter) => splitParameter(parameter)));
    const as = named.get('as');
    if (as === undefined) return 'object';
    const kind = KINDS[as];
    const version = named.get('v');
    if (kind === undefined || named.get('g') !== 'meta.k8s.io' || (version !== undefined && version !== 'v1')) continue;
    return kind;
  }
  throw notAcceptable(ACCEPTED);
}

const JSON_TYPES: ReadonlySet<string> = new Set(['application/json', 'application/*', '*/*']);
const ACCEPTED = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

function splitParameter(parameter: string): readonly [string, string] {
  const [name = '', value = ''] = parameter.split('=');
  return [name.trim().toLowerCase(), value.trim()];
}
