import { isObject, type JsonObject } from './json.ts';

export type SchemaType = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';

/** A rule in CEL, as `x-kubernetes-validations` states it. */
export type ValidationRule = {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
};

/**
 * A node of a structural schema, or of a schema below `allOf`, `anyOf`, `oneOf` and `not`. Members that say nothing are absent, so that a node
 * can be asked without knowing the document that it came from.
 */
export type SchemaNode = {
  readonly type?: SchemaType;
  readonly description?: string;
  readonly properties?: ReadonlyMap<string, SchemaNode>;
  /** `true`: any value, which nothing describes. */
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  /** Absent where there is no default. A default of null counts as none, as in the API server. */
  readonly default?: unknown;
  readonly isNullable: boolean;
  readonly isIntOrString: boolean;
  readonly preservesUnknownFields: boolean;
  readonly isEmbeddedResource: boolean;
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly listMapKeys: readonly string[];
  readonly mapType?: 'granular' | 'atomic';
  readonly rules: readonly ValidationRule[];
  readonly format?: string;
  readonly maximum?: number;
  readonly exclusiveMaximum: boolean;
  readonly minimum?: number;
  readonly exclusiveMinimum: boolean;
  readonly multipleOf?: number;
  readonly maxLength?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly maxProperties?: number;
  readonly minProperties?: number;
  readonly required: readonly string[];
  readonly enum?: readonly unknown[];
  readonly allOf: readonly SchemaNode[];
  readonly anyOf: readonly SchemaNode[];
  readonly oneOf: readonly SchemaNode[];
  readonly not?: SchemaNode;
};

/**
 * Reads a schema as a CustomResourceDefinition states it. Throws a TypeError where it is none. Parts that are of the wrong type are left out: they do
 * not get past the decoder of definitions.
 */
export function parseNode(schema: unknown): SchemaNode {
  if (!isObject(schema)) throw new TypeError('openAPIV3Schema: must be a schema, an object');
  const nodes = (key: string) => objectsOf(schema[key]).map(parseNode);
  return {
    ...parseStructure(schema),
    ...parseScalars(schema),
    isNullable: schema.nullable === true,
    isIntOrString: schema['x-kubernetes-int-or-string'] === true,
    preservesUnknownFields: schema['x-kubernetes-preserve-unknown-fields'] === true,
    isEmbeddedResource: schema['x-kubernetes-embedded-resource'] === true,
    ...optional('listType', oneOf(schema['x-kubernetes-list-type'], ['atomic', 'set', 'map'])),
    listMapKeys: textsOf(schema['x-kubernetes-list-map-keys']),
    ...optional('mapType', oneOf(schema['x-kubernetes-map-type'], ['granular', 'atomic'])),
    rules: objectsOf(schema['x-kubernetes-validations']).map(parseRule),
    exclusiveMaximum: schema.exclusiveMaximum === true,
    exclusiveMinimum: schema.exclusiveMinimum === true,
    required: textsOf(schema.required),
    allOf: nodes('allOf'),
    anyOf: nodes('anyOf'),
    oneOf: nodes('oneOf'),
    ...(isObject(schema.not) ? { not: parseNode(schema.not) } : {}),
  };
}

/** The node that describes a member of an object of this node; undefined where nothing does. */
export function findMember(node: SchemaNode, key: string): SchemaNode | undefined {
  const property = node.properties?.get(key);
  if (property !== undefined) return property;
  return typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
}

type Structure = Pick<SchemaNode, 'type' | 'description' | 'properties' | 'additionalProperties' | 'items' | 'default'>;

function parseStructure(schema: JsonObject): Structure {
  const { properties, additionalProperties, items } = schema;
  return {
    ...optional('type', oneOf(schema.type, ['object', 'array', 'string', 'integer', 'number', 'boolean'])),
    ...optional('description', textOf(schema.description)),
    ...(isObject(properties) ? { properties: parseProperties(properties) } : {}),
    ...(typeof additionalProperties === 'boolean' ? { additionalProperties } : {}),
    ...(isObject(additionalProperties) ? { additionalProperties: parseNode(additionalProperties) } : {}),
    ...(isObject(items) ? { items: parseNode(items) } : {}),
    ...(schema.default === undefined || schema.default === null ? {} : { default: schema.default }),
    ...(Array.isArray(schema.enum) ? { enum: schema.enum } : {}),
  };
}

function parseProperties(properties: JsonObject): ReadonlyMap<string, SchemaNode> {
  const entries = Object.entries(properties);
  return new Map(entries.flatMap(([name, member]) => (isObject(member) ? [[name, parseNode(member)] as const] : [])));
}

const NUMBERS = [
  ...(['maximum', 'minimum', 'multipleOf', 'maxLength', 'minLength'] as const),
  ...(['maxItems', 'minItems', 'maxProperties', 'minProperties'] as const),
];
type Scalars = Pick<SchemaNode, (typeof NUMBERS)[number] | 'format' | 'pattern'>;

function parseScalars(schema: JsonObject): Scalars {
  const numbers = NUMBERS.flatMap((key) => (typeof schema[key] === 'number' ? [[key, schema[key]] as const] : []));
  return {
    ...Object.fromEntries(numbers),
    ...optional('format', textOf(schema.format)),
    ...optional('pattern', textOf(schema.pattern)),
  };
}

function parseRule(rule: JsonObject): ValidationRule {
  return {
    rule: textOf(rule.rule) ?? '',
    ...optional('message', textOf(rule.message)),
    ...optional('messageExpression', textOf(rule.messageExpression)),
    ...optional('reason', textOf(rule.reason)),
    ...optional('fieldPath', textOf(rule.fieldPath)),
    ...(rule.optionalOldSelf === true ? { optionalOldSelf: true } : {}),
  };
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** A text that says something: the API server takes an empty one as absent. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function oneOf<const T extends string>(value: unknown, choices: readonly T[]): T | undefined {
  return choices.find((choice) => choice === value);
}

function optional<const K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}
