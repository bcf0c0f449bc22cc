import type { JsonObject } from './json.ts';

/** The group of the CRDs that only these cases use. */
export const GROUP = 'contract.sublet.dev';

/** Namespaced, with a status subresource, and every feature of a structural schema that a case needs. */
export const WIDGETS: JsonObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `widgets.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: {
      plural: 'widgets',
      singular: 'widget',
      kind: 'Widget',
      listKind: 'WidgetList',
      shortNames: ['wg'],
      categories: ['contract'],
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: 'Size', type: 'integer', jsonPath: '.spec.size', description: 'How large it is.' },
          { name: 'Title', type: 'string', jsonPath: '.spec.title' },
          { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
          { name: 'Wide', type: 'string', jsonPath: '.spec.color', priority: 1 },
          { name: 'Ratio', type: 'number', jsonPath: '.spec.ratio' },
          { name: 'On', type: 'boolean', jsonPath: '.spec.enabled' },
          { name: 'Since', type: 'date', jsonPath: '.spec.since' },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        schema: { openAPIV3Schema: widgetSchema() },
      },
    ],
  },
};

/** Cluster-wide, without a status subresource, and taking anything. */
export const GADGETS: JsonObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `gadgets.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Cluster',
    names: { plural: 'gadgets', singular: 'gadget', kind: 'Gadget', listKind: 'GadgetList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

function widgetSchema(): JsonObject {
  return {
    type: 'object',
    description: 'A thing for tests.',
    required: ['spec'],
    properties: {
      spec: { type: 'object', default: {}, properties: { ...scalars(), ...nested(), ...lists(), ...rules() } },
      status: {
        type: 'object',
        properties: {
          observedGeneration: { type: 'integer', format: 'int64' },
          phase: { type: 'string', default: 'Pending' },
          conditions: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['type'],
            items: {
              type: 'object',
              required: ['type', 'status'],
              properties: {
                type: { type: 'string' },
                status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
                reason: { type: 'string' },
                lastTransitionTime: { type: 'string', format: 'date-time' },
              },
            },
          },
        },
      },
    },
  };
}

function scalars(): JsonObject {
  return {
    title: { type: 'string', minLength: 2, maxLength: 10 },
    code: { type: 'string', pattern: '^[A-Z]{2}[0-9]+$' },
    color: { type: 'string', enum: ['red', 'green', 'blue'], default: 'red' },
    size: { type: 'integer', minimum: 1, maximum: 100, default: 3 },
    small: { type: 'integer', format: 'int32' },
    large: { type: 'integer', format: 'int64' },
    even: { type: 'integer', multipleOf: 2 },
    ratio: { type: 'number', minimum: 0, exclusiveMinimum: true, maximum: 1, exclusiveMaximum: true },
    precise: { type: 'number', format: 'double' },
    enabled: { type: 'boolean' },
    since: { type: 'string', format: 'date-time' },
    day: { type: 'string', format: 'date' },
    id: { type: 'string', format: 'uuid' },
    address: { type: 'string', format: 'ipv4' },
    secret: { type: 'string', format: 'byte' },
    link: { type: 'string', format: 'uri' },
    took: { type: 'string', format: 'duration' },
    host: { type: 'string', format: 'hostname' },
    mail: { type: 'string', format: 'email' },
    range: { type: 'string', format: 'cidr' },
    port: { 'x-kubernetes-int-or-string': true },
    amount: {
      'x-kubernetes-int-or-string': true,
      anyOf: [{ type: 'integer' }, { type: 'string' }],
      maxLength: 8,
      pattern: '^[0-9]+(Mi|Gi)?$',
    },
    nothing: { type: 'string', nullable: true },
    nothingElse: { type: 'string', nullable: true, default: 'something' },
    notNull: { type: 'string' },
  };
}

function nested(): JsonObject {
  return {
    inner: {
      type: 'object',
      required: ['name'],
      properties: {
        name: { type: 'string' },
        mode: { type: 'string', default: 'fast' },
        deep: {
          type: 'object',
          default: { level: 1 },
          properties: { level: { type: 'integer' }, more: { type: 'integer' } },
        },
      },
    },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    known: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { a: { type: 'object', properties: { b: { type: 'string' } } } },
    },
    labels: { type: 'object', additionalProperties: { type: 'string', maxLength: 5 }, maxProperties: 3 },
    atLeastOne: { type: 'object', additionalProperties: { type: 'integer' }, minProperties: 1 },
    defaulted: {
      type: 'object',
      additionalProperties: { type: 'object', properties: { kept: { type: 'boolean', default: true } } },
    },
    atomic: { type: 'object', 'x-kubernetes-map-type': 'atomic', additionalProperties: { type: 'string' } },
    template: {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      'x-kubernetes-preserve-unknown-fields': true,
    },
    either: {
      type: 'object',
      properties: { left: { type: 'string' }, right: { type: 'string' } },
      oneOf: [{ required: ['left'] }, { required: ['right'] }],
    },
    any: {
      type: 'object',
      properties: { x: { type: 'integer' }, y: { type: 'integer' } },
      anyOf: [{ required: ['x'] }, { properties: { y: { minimum: 10 } }, required: ['y'] }],
    },
    all: {
      type: 'string',
      allOf: [{ minLength: 2 }, { maxLength: 4 }],
      not: { enum: ['bad'] },
    },
  };
}

function lists(): JsonObject {
  return {
    tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set', maxItems: 4 },
    ports: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['port', 'protocol'],
      items: {
        type: 'object',
        required: ['port'],
        properties: {
          port: { type: 'integer' },
          protocol: { type: 'string', default: 'TCP' },
          name: { type: 'string' },
          hosts: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        },
      },
    },
    args: { type: 'array', items: { type: 'string' }, minItems: 1 },
    steps: {
      type: 'array',
      items: { type: 'object', properties: { run: { type: 'string' }, weight: { type: 'integer', default: 1 } } },
    },
    unique: { type: 'array', items: { type: 'integer' }, 'x-kubernetes-list-type': 'atomic' },
    matrix: { type: 'array', items: { type: 'array', items: { type: 'integer' } } },
  };
}

function rules(): JsonObject {
  return {
    fixed: {
      type: 'string',
      maxLength: 20,
      'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'cannot be changed' }],
    },
    checked: {
      type: 'object',
      properties: {
        low: { type: 'integer', minimum: -9999, maximum: 9999 },
        high: { type: 'integer', minimum: -9999, maximum: 9999 },
        note: { type: 'string', maxLength: 20 },
        items: { type: 'array', maxItems: 5, items: { type: 'string', maxLength: 10 } },
      },
      'x-kubernetes-validations': [
        { rule: '!has(self.low) || !has(self.high) || self.low <= self.high', message: 'low must not pass high' },
        {
          rule: "!has(self.note) || self.note.startsWith('ok')",
          message: 'must begin with ok',
          fieldPath: '.note',
          reason: 'FieldValueForbidden',
        },
        { rule: "!has(self.items) || self.items.all(item, item != 'no')" },
        {
          rule: "!has(self.note) || self.note != 'ok but long'",
          messageExpression: "'the note ' + self.note + ' is refused'",
          message: 'a note is refused',
        },
      ],
    },
    growing: {
      type: 'integer',
      'x-kubernetes-validations': [{ rule: 'self >= oldSelf', message: 'must not shrink' }],
    },
  };
}
