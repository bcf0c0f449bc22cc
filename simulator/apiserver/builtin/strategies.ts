import { withoutMutatingWebhooks, withQuotaRules, withWebhookRules } from '../admission/strategies.ts';
import { CLEANUP } from '../definitions.ts';
import type { Strategy } from '../kinds.ts';
import { type ApiObject, objectAt, withMeta } from '../object.ts';
import type { CompiledSchema } from '../schema/index.ts';
import { equalJson } from '../schema/json.ts';
import { onlyStatus, takeMember } from '../strategy.ts';

type Build = (schema: CompiledSchema) => Strategy;

/** How built-in kinds differ from each other, by kind. */
export const STRATEGIES: { readonly default: Build; readonly [kind: string]: Build | undefined } = {
  default: base,
  Namespace: (schema) => ({
    ...base(schema),
    prepareForCreate: prepareNamespace,
    prepareForUpdate: (object, old) => takeMember(labelled(takeMember(object, old, 'spec')), old, 'status'),
  }),
  Secret: (schema) => ({
    ...base(schema),
    prepareForCreate: (object) => withDefault(withStringData(object), 'type', 'Opaque'),
    prepareForUpdate: (object) => withDefault(withStringData(object), 'type', 'Opaque'),
  }),
  CustomResourceDefinition: (schema) => ({
    ...withGeneration(schema),
    prepareForCreate: (object) => {
      const { finalizers = [] } = object.metadata;
      const added = finalizers.includes(CLEANUP) ? finalizers : [...finalizers, CLEANUP];
      const { status: _, ...rest } = object;
      return withMeta(rest as ApiObject, { generation: 1, finalizers: added });
    },
  }),
  Deployment: withGeneration,
  NetworkPolicy: withGeneration,
  ValidatingAdmissionPolicy: withGeneration,
  ValidatingAdmissionPolicyBinding: withGeneration,
  ResourceQuota: (schema) => withQuotaRules(base(schema)),
  ValidatingWebhookConfiguration: (schema) => withWebhookRules(withGeneration(schema)),
  MutatingWebhookConfiguration: (schema) => withoutMutatingWebhooks(withGeneration(schema)),
};

function base(schema: CompiledSchema): Strategy {
  return {
    allowCreateOnUpdate: false,
    allowUnconditionalUpdate: true,
    prepareForCreate: (object) => withMeta(object, { generation: undefined }),
    validate: (object) => schema.validate(object),
    prepareForUpdate: (object, old) => (old.status === undefined ? object : takeMember(object, old, 'status')),
    validateUpdate: (object, old) => schema.validate(object, { old }),
    prepareForStatusUpdate: onlyStatus,
    validateStatusUpdate: (object, old) => schema.validate(object, { old }),
    garbageCollection: 'background',
    resetFields: [],
    statusResetFields: [],
    returnsDeleted: true,
  };
}

/** Kinds whose spec has generations. */
function withGeneration(schema: CompiledSchema): Strategy {
  const common = base(schema);
  return {
    ...common,
    prepareForCreate: (object) => withMeta(object, { generation: 1 }),
    prepareForUpdate: (object, old) => {
      const next = common.prepareForUpdate(object, old);
      if (equalJson(next.spec, old.spec)) return next;
      return withMeta(next, { generation: (old.metadata.generation ?? 0) + 1 });
    },
  };
}

function prepareNamespace(object: ApiObject): ApiObject {
  const { finalizers } = objectAt(object, 'spec');
  const stated = Array.isArray(finalizers) ? finalizers.map(String) : [];
  const spec = { finalizers: stated.includes('kubernetes') ? stated : [...stated, 'kubernetes'] };
  return labelled({ ...withMeta(object, { generation: undefined }), spec, status: { phase: 'Active' } });
}

function labelled(object: ApiObject): ApiObject {
  const { name = '', labels } = object.metadata;
  return withMeta(object, { labels: { ...labels, 'kubernetes.io/metadata.name': name } });
}

/** `stringData` is `data` that the client did not encode. */
function withStringData(object: ApiObject): ApiObject {
  const { stringData, ...rest } = object;
  if (stringData === undefined) return object;
  const added = Object.entries(objectAt(object, 'stringData')).map(([key, text]) => {
    return [key, Buffer.from(String(text)).toString('base64')] as const;
  });
  return { ...rest, data: { ...objectAt(object, 'data'), ...Object.fromEntries(added) } } as ApiObject;
}

function withDefault(object: ApiObject, member: string, value: unknown): ApiObject {
  return object[member] === undefined ? { ...object, [member]: value } : object;
}
