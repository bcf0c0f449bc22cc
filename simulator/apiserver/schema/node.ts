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

/** Reads a schema as a CustomResourceDefinition states it. Throws a TypeError, naming the path, where it is not one. */
export function parseNode(schema: unknown, path = 'openAPIV3Schema'): SchemaNode {
  if (!isObject(schema)) throw new TypeError(`${path}: must be a schema, an object`);
  const nodes = (key: string) => listOf(schema[key], (item, index) => parseNode(item, `${path}.${key}[${index}]`));
  return {
    ...parseStructure(schema, path),
    ...parseScalars(schema),
    isNullable: schema.nullable === true,
    isIntOrString: schema['x-kubernetes-int-or-string'] === true,
    preservesUnknownFields: schema['x-kubernetes-preserve-unknown-fields'] === true,
    isEmbeddedResource: schema['x-kubernetes-embedded-resource'] === true,
    ...optional('listType', oneOf(schema['x-kubernetes-list-type'], ['atomic', 'set', 'map'])),
    listMapKeys: listOf(schema['x-kubernetes-list-map-keys'], String),
    ...optional('mapType', oneOf(schema['x-kubernetes-map-type'], ['granular', 'atomic'])),
    rules: listOf(schema['x-kubernetes-validations'], (rule) => parseRule(rule, path)),
    exclusiveMaximum: schema.exclusiveMaximum === true,
    exclusiveMinimum: schema.exclusiveMinimum === true,
    required: listOf(schema.required, String),
    allOf: nodes('allOf'),
    anyOf: nodes('anyOf'),
    oneOf: nodes('oneOf'),
    ...(isObject(schema.not) ? { not: parseNode(schema.not, `${path}.not`) } : {}),
  };
}

/** The node that describes a member of an object of this node; undefined where nothing does. */
export function findMember(node: SchemaNode, key: string): SchemaNode | undefined {
  const property = node.properties?.get(key);
  if (property !== undefined) return property;
  return typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
}

type Structure = Pick<SchemaNode, 'type' | 'description' | 'properties' | 'additionalProperties' | 'items' | 'default'>;

function parseStructure(schema: JsonObject, path: string): Structure {
  const { properties, additionalProperties, items } = schema;
  return {
    ...optional('type', oneOf(schema.type, ['object', 'array', 'string', 'integer', 'number', 'boolean'])),
    ...optional('description', textOf(schema.description)),
    ...(isObject(properties) ? { properties: parseProperties(properties, path) } : {}),
    ...(typeof additionalProperties === 'boolean' ? { additionalProperties } : {}),
    ...(isObject(additionalProperties)
      ? { additionalProperties: parseNode(additionalProperties, `${path}.additionalProperties`) }
      : {}),
    ...(isObject(items) ? { items: parseNode(items, `${path}.items`) } : {}),
    ...(schema.default === undefined || schema.default === null ? {} : { default: schema.default }),
    ...(Array.isArray(schema.enum) ? { enum: schema.enum } : {}),
  };
}

function parseProperties(properties: JsonObject, path: string): ReadonlyMap<string, SchemaNode> {
  const entries = Object.entries(properties);
  return new Map(entries.map(([name, member]) => [name, parseNode(member, `${path}.properties[${name}]`)]));
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

function parseRule(rule: unknown, path: string): ValidationRule {
  if (!isObject(rule) || typeof rule.rule !== 'string') throw new TypeError(`${path}: a rule must state rule, a text`);
  return {
    rule: rule.rule,
    ...optional('message', textOf(rule.message)),
    ...optional('messageExpression', textOf(rule.messageExpression)),
    ...optional('reason', textOf(rule.reason)),
    ...optional('fieldPath', textOf(rule.fieldPath)),
    ...(rule.optionalOldSelf === true ? { optionalOldSelf: true } : {}),
  };
}

function listOf<T>(value: unknown, read: (item: unknown, index: number) => T): readonly T[] {
  return Array.isArray(value) ? value.map((item: unknown, index) => read(item, index)) : [];
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
