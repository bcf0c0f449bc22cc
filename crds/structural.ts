import { z } from 'zod';
import { EDITOR_PATTERN, LIST_TYPE, VALIDATIONS } from './v1alpha1/schema.ts';

/** The part of a CRD's OpenAPI v3 schema that we write. */
export type Structural = {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly description?: string;
  readonly properties?: { readonly [name: string]: Structural };
  readonly required?: readonly string[];
  readonly items?: Structural;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly anyOf?: readonly Structural[];
  readonly [keyword: string]: unknown;
};

/**
 * Converts a zod schema to the structural schema of a CustomResourceDefinition, CEL rules included.
 *
 * Throws on what a CRD cannot hold or what would be unsafe there, naming the path: transforms, unions other than integer or string, maps,
 * numbers that are not integers, values without bounds (CEL's cost budget needs them), patterns that Go's RE2 lacks, formats that the API server
 * does not check, and rules about change on a field that can be removed and added again.
 */
export function convertStructural(schema: z.ZodType, path: string): Structural {
  const json = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    cycles: 'throw',
    unrepresentable: 'any',
    override: ({ zodSchema, path: at }) => {
      const { type } = zodSchema._zod.def;
      const id = zodSchema instanceof z.ZodType ? zodSchema.meta()?.id : undefined;
      if (id !== undefined) refuse(renderJsonPath(path, at), `a CRD cannot hold references; remove the id ${id}`);
      if (!CONVERTIBLE.has(type)) refuse(renderJsonPath(path, at), `a CRD cannot hold zod's ${type}`);
    },
  });
  return convert(json, { path, isFixed: true });
}

const CONVERTIBLE: ReadonlySet<string> = new Set([
  ...['string', 'number', 'int', 'boolean', 'object', 'array', 'enum', 'literal', 'union'],
  ...['optional', 'default', 'prefault', 'nonoptional', 'readonly'],
]);

type Json = { readonly [keyword: string]: unknown };
/** `isFixed`: the value is there as long as the resource is, so that a rule about its change cannot be dodged. */
type Place = { readonly path: string; readonly isFixed: boolean };

function convert(json: unknown, place: Place): Structural {
  if (!isJson(json)) return refuse(place.path, 'a schema must be an object');
  if ('nullable' in json) refuse(place.path, 'null means absent in a CRD; make it optional instead');
  const unknown = Object.keys(json).find((keyword) => !KEYWORDS.has(keyword));
  if (unknown !== undefined) refuse(place.path, `a CRD cannot hold the keyword ${unknown}`);
  checkTransitions(json, place);
  if ('anyOf' in json) return convertIntOrString(json, place);
  switch (json.type) {
    case 'object':
      return convertObject(json, place);
    case 'array':
      return convertArray(json, place);
    case 'string':
      return convertString(json, place);
    case 'integer':
      return convertInteger(json, place);
    case 'boolean':
      return { ...pick(json, COMMON), type: 'boolean' };
    default:
      return refuse(
        place.path,
        `a CRD of ours cannot hold type ${JSON.stringify(json.type)}; use integers or decimal strings`,
      );
  }
}

function convertObject(json: Json, { path, isFixed }: Place): Structural {
  const { properties } = json;
  if (!isJson(properties)) return refuse(path, 'an open map has no place; use a list keyed by name');
  if (json.additionalProperties !== false) refuse(path, 'must be a strict object, so that unknown members are refused');
  const required = isStrings(json.required) ? json.required : [];
  const converted = Object.entries(properties).map(([name, member]) => {
    const isRequired = required.includes(name);
    return [name, convert(member, { path: `${path}.${name}`, isFixed: isFixed && isRequired })] as const;
  });
  const rest = { ...pick(json, COMMON), type: 'object', properties: Object.fromEntries(converted) } as const;
  return required.length === 0 ? rest : { ...rest, required };
}

function convertArray(json: Json, { path }: Place): Structural {
  requireBounds(json, path, ['maxItems']);
  if (json[LIST_TYPE] === undefined) refuse(path, 'a list must say whether it is a map or a set');
  const items = convert(json.items, { path: `${path}[]`, isFixed: false });
  return {
    ...pick(json, [...COMMON, 'minItems', 'maxItems', LIST_TYPE, 'x-kubernetes-list-map-keys']),
    type: 'array',
    items,
  };
}

function convertString(json: Json, { path }: Place): Structural {
  if (json.enum !== undefined) {
    if (!isStrings(json.enum)) return refuse(path, 'an enum must hold strings only');
    return { ...pick(json, COMMON), type: 'string', enum: json.enum };
  }
  requireBounds(json, path, ['maxLength']);
  if (json.format !== undefined && json.format !== 'date-time')
    refuse(path, `the API server does not check format ${json.format}`);
  const { pattern } = json;
  if (typeof pattern === 'string' && /\(\?[=!<]|\\[1-9]/.test(pattern)) {
    refuse(path, `Go's RE2 has neither look-around nor back-references: ${pattern}`);
  }
  return { ...pick(json, [...COMMON, 'minLength', 'maxLength', 'pattern', 'format']), type: 'string' };
}

function convertInteger(json: Json, { path }: Place): Structural {
  requireBounds(json, path, ['minimum', 'maximum']);
  return { ...pick(json, [...COMMON, 'minimum', 'maximum']), type: 'integer', format: 'int64' };
}

/** The one union of a CRD. Bounds of both members apply, each to values of its type. */
function convertIntOrString(json: Json, { path, isFixed }: Place): Structural {
  const members = (Array.isArray(json.anyOf) ? json.anyOf : []).map((member) => convert(member, { path, isFixed }));
  const [integer, string] = members;
  if (members.length !== 2 || integer?.type !== 'integer' || string?.type !== 'string') {
    return refuse(path, 'a CRD cannot hold a union other than of an integer and a string, in this order');
  }
  return {
    ...pick(json, COMMON),
    ...pick(integer, ['minimum', 'maximum']),
    ...pick(string, ['minLength', 'maxLength', 'pattern']),
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    'x-kubernetes-int-or-string': true,
  };
}

function checkTransitions(json: Json, { path, isFixed }: Place): void {
  const rules = json[VALIDATIONS];
  if (isFixed || !Array.isArray(rules)) return;
  if (rules.some(({ rule }) => /\boldSelf\b/.test(String(rule)))) {
    refuse(path, 'a rule about change needs a required field outside lists; removing and adding again would dodge it');
  }
}

function requireBounds(json: Json, path: string, keywords: readonly string[]): void {
  for (const keyword of keywords) {
    const bound = json[keyword];
    if (typeof bound !== 'number' || Math.abs(bound) >= Number.MAX_SAFE_INTEGER) refuse(path, `needs ${keyword}`);
  }
}

const COMMON = ['description', 'default', VALIDATIONS];
const KEYWORDS: ReadonlySet<string> = new Set([
  ...[
    ...COMMON,
    'type',
    'properties',
    'required',
    'additionalProperties',
    'items',
    'enum',
    'anyOf',
    'format',
    'pattern',
  ],
  ...[
    'minLength',
    'maxLength',
    'minimum',
    'maximum',
    'minItems',
    'maxItems',
    LIST_TYPE,
    'x-kubernetes-list-map-keys',
    EDITOR_PATTERN,
  ],
]);

function pick(json: Json, keywords: readonly string[]): Json {
  return Object.fromEntries(
    keywords.flatMap((keyword) => (json[keyword] === undefined ? [] : [[keyword, json[keyword]]])),
  );
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** `['properties', 'spec', 'items']` as `.spec[]`, the way refusals name places. */
function renderJsonPath(root: string, path: readonly (string | number)[]): string {
  return path.reduce<string>((text, step, index) => {
    if (path[index - 1] === 'properties') return `${text}.${step}`;
    return step === 'items' ? `${text}[]` : text;
  }, root);
}

function refuse(path: string, message: string): never {
  throw new Error(`${path}: ${message}`);
}
