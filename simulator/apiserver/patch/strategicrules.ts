import { isObject, type JsonObject, setOwn } from '../schema/json.ts';
import { type ApiError, badRequest, failure } from '../status.ts';
import { renderPlain } from './gojson.ts';

/** A directive is not of the form that it must have. */
export function badFormat(of: 'retainKeys' | 'setElementOrder list' | 'primitive list'): ApiError {
  return badRequest(`invalid patch format of ${of}`);
}

/** A directive, or an item of a list, that nothing can be made of. */
export function refuse(what: 'type' | 'key', detail: unknown, object: JsonObject): ApiError {
  const message =
    what === 'type'
      ? `unknown patch type: ${renderPlain(detail)} in map: ${renderPlain(object)}`
      : `map: ${renderPlain(object)} does not contain declared merge key: ${renderPlain(detail)}`;
  return failure(500, '', message);
}

/** A value as it is taken over where there was none: without directives, and without nulls. Undefined when it is a directive itself. */
export function dropDirectives(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => dropDirectives(item)).filter((item) => item !== undefined);
  }
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, '$patch')) return undefined;
  const kept: JsonObject = {};
  for (const key of Object.keys(value)) {
    if (value[key] === null) continue;
    const member = dropDirectives(value[key]);
    if (member !== undefined) setOwn(kept, key, member);
  }
  return kept;
}
