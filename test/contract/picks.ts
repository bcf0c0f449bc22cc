import { at, isArray, type Json, type JsonObject } from './json.ts';

// What a case keeps of an answer whose rest differs by nature or is another case's subject.

export function nothing(): Json {
  return null;
}

/** The names of a list, in its order. */
export function names(body: Json): Json {
  const items = at(body, 'items');
  if (!isArray(items)) return body;
  return [at(body, 'kind') ?? null, ...items.map((item) => at(item, 'metadata.name') ?? null)];
}

/** Whether a list came. */
export function kind(body: Json): Json {
  return at(body, 'items') === undefined ? body : (at(body, 'kind') ?? null);
}

export function errorOnly(body: Json): Json {
  return at(body, 'kind') === 'Status' ? body : null;
}

/** How far a controller is with an object when it is answered is by chance. */
export function withoutStatus(body: Json): Json {
  return without(body, 'status');
}

export function withoutSpec(body: Json): Json {
  return without(body, 'spec');
}

export function member(path: string): (body: Json) => Json {
  return (body) => at(body, path) ?? body;
}

/** The status of an object's condition. */
export function conditionOf(body: Json, type: string): Json | undefined {
  const conditions = at(body, 'status.conditions');
  if (!isArray(conditions)) return undefined;
  return at(
    conditions.find((one) => at(one, 'type') === type),
    'status',
  );
}

function without(body: Json, name: string): Json {
  const { [name]: _, ...rest } = body as JsonObject;
  return rest;
}
