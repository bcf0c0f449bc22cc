import { apiVersionOf, type Resource } from '../../kube/object.ts';
import type { Method, Rest } from '../../test/cluster/rest.ts';
import { isRecord } from '../rules/walk.ts';

export type ServerError = { readonly path: string; readonly message: string };
export type Judgement = {
  readonly ok: boolean;
  readonly errors: readonly ServerError[];
  /** Whether every rule was asked: unknown fields, missing ones and wrong types keep the API server from evaluating CEL. */
  readonly isComplete: boolean;
};

/** What the API server says to creating a resource, under strict validation, without doing it. */
export function judgeCreate(rest: Rest, resource: Resource, namespace: string, body: unknown): Promise<Judgement> {
  return judge(rest, 'POST', `${collection(resource, namespace)}?dryRun=All&fieldValidation=Strict`, body);
}

/** What the API server says to replacing a resource that exists, under strict validation, without doing it. */
export function judgeUpdate(
  rest: Rest,
  resource: Resource,
  namespace: string,
  name: string,
  body: unknown,
): Promise<Judgement> {
  return judge(rest, 'PUT', `${collection(resource, namespace)}/${name}?dryRun=All&fieldValidation=Strict`, body);
}

export function collection(resource: Resource, namespace: string): string {
  return `/apis/${apiVersionOf(resource)}/namespaces/${namespace}/${resource.plural}`;
}

async function judge(rest: Rest, method: Method, path: string, body: unknown): Promise<Judgement> {
  const reply = await rest.call(method, path, body);
  if (reply.status < 300) return { ok: true, errors: [], isComplete: true };
  if (reply.status !== 400 && reply.status !== 422) throw new Error(`${method} ${path}: ${JSON.stringify(reply)}`);
  const errors = readErrors(reply.body);
  const located = errors.filter((error) => error.path !== NOWHERE && !isUnasked(error, errors));
  return { ok: false, errors: located, isComplete: reply.status === 422 && located.length === errors.length };
}

/** Where the API server says that rules were not asked. */
const NOWHERE = '<nil>';

/** A rule of what holds a number with a fraction where none may be: it is not broken, it could not be asked. The number has its own error. */
function isUnasked({ path, message }: ServerError, errors: readonly ServerError[]): boolean {
  return UNASKED.test(message) && errors.some((other) => other.path.startsWith(`${path}.`));
}

const UNASKED = /invalid data, expected XIntOrString value to be either a string or integer evaluating rule/;

/** Invalid fields come as causes, unknown ones as a text. */
function readErrors(body: unknown): readonly ServerError[] {
  if (!isRecord(body)) return [];
  const unknown = [...String(body.message).matchAll(/unknown field "([^"]+)"/g)].map(([, path = '']) => ({
    path,
    message: 'unknown field',
  }));
  const details = isRecord(body.details) && Array.isArray(body.details.causes) ? body.details.causes : [];
  const causes = details.map((cause) => ({ path: String(cause.field), message: String(cause.message) }));
  return [...unknown, ...causes];
}
