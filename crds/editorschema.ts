import { z } from 'zod';
import { apiVersionOf } from '../kube/object.ts';
import type { KindDefinition } from './crd.ts';
import { EDITOR_PATTERN } from './v1alpha1/schema.ts';

/**
 * The JSON Schema (draft 7) of a kind for editors, such as the YAML language server. Wider than the API server where only CEL can
 * say a rule; `status` is left out, because nobody writes it.
 */
export function buildEditorSchema({ schema, resource }: KindDefinition): object {
  const spec = z.toJSONSchema(schema.shape.spec, {
    target: 'draft-7',
    io: 'input',
    reused: 'inline',
    cycles: 'throw',
    override: ({ jsonSchema }) => {
      const { [EDITOR_PATTERN]: expression } = jsonSchema;
      if (typeof expression === 'string') jsonSchema.pattern = expression;
      Reflect.deleteProperty(jsonSchema, EDITOR_PATTERN);
      for (const key of Object.keys(jsonSchema)) {
        if (key.startsWith('x-kubernetes-')) Reflect.deleteProperty(jsonSchema, key);
      }
    },
  });
  const { $schema, ...rest } = spec;
  return {
    $schema,
    title: resource.kind,
    description: schema.description,
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    properties: {
      apiVersion: { const: apiVersionOf(resource) },
      kind: { const: resource.kind },
      metadata: EDITOR_METADATA,
      spec: rest,
    },
    additionalProperties: false,
  };
}

const EDITOR_METADATA = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', maxLength: 253 },
    namespace: { type: 'string', maxLength: 63 },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    annotations: { type: 'object', additionalProperties: { type: 'string' } },
  },
  additionalProperties: false,
};
