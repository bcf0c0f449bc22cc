import { withoutMutatingWebhooks, withQuotaRules, withWebhookRules } from '../admission/strategies.ts';
import type { Strategy } from '../kinds.ts';
import { type ApiObject, withMeta } from '../object.ts';
import { type CompiledSchema, type FieldError, invalid } from '../schema/index.ts';
import { equalJson } from '../schema/json.ts';
import { dropMember, takeMember } from '../strategy.ts';
import { prepareDefinition, terminateDefinition, validateDefinition } from './definition.ts';
import { validateCoreEvent, validateNewerEvent } from './events.ts';
import { prepareNamespace, terminateNamespace, validateConfigMap, validatePhase, validateSecret } from './plain.ts';
import { validateBinding, validateLease, validateNetworkPolicy, validateRole } from './policies.ts';
import { allocateService, keepAddresses, validateService } from './service.ts';
import { prepareClaim, validateClaim } from './volumes.ts';

type Validate = (object: ApiObject, old: ApiObject | undefined) => readonly FieldError[];

/** What makes a built-in kind different from the others. */
type Traits = {
  /** `status` is a subresource: writes of the object leave it alone. */
  readonly status?: boolean;
  /** The status of a new object. */
  readonly initialStatus?: unknown;
  /** Members whose change is a new generation. */
  readonly generation?: readonly string[];
  readonly prepare?: (object: ApiObject, old: ApiObject | undefined) => ApiObject;
  readonly validate?: Validate;
  readonly validateStatus?: Validate;
  readonly conditional?: boolean;
  readonly createsOnUpdate?: boolean;
  readonly returnsDeleted?: boolean;
  readonly terminate?: NonNullable<Strategy['terminate']>;
  readonly allocate?: NonNullable<Strategy['allocate']>;
  /** What a write of the status leaves alone beside the spec. */
  readonly statusKeeps?: 'metadata' | 'labels';
};

const SPEC = ['spec'];
const RETURNED = { returnsDeleted: true } as const;

const TRAITS: Readonly<Record<string, Traits>> = {
  ConfigMap: { validate: validateConfigMap },
  Secret: { validate: validateSecret },
  Namespace: {
    status: true,
    initialStatus: { phase: 'Active' },
    prepare: prepareNamespace,
    terminate: terminateNamespace,
    validateStatus: validatePhase,
    ...RETURNED,
  },
  Node: { status: true, ...RETURNED },
  PersistentVolume: { status: true, initialStatus: { phase: 'Pending' }, ...RETURNED },
  PersistentVolumeClaim: {
    status: true,
    initialStatus: { phase: 'Pending' },
    prepare: prepareClaim,
    validate: validateClaim,
    ...RETURNED,
  },
  Pod: { status: true, initialStatus: { phase: 'Pending', qosClass: 'BestEffort' }, generation: SPEC, ...RETURNED },
  ResourceQuota: { status: true, initialStatus: {}, ...RETURNED },
  Service: {
    status: true,
    initialStatus: { loadBalancer: {} },
    prepare: keepAddresses,
    validate: validateService,
    allocate: allocateService,
    ...RETURNED,
  },
  ServiceAccount: RETURNED,
  Lease: { createsOnUpdate: true, conditional: true, validate: validateLease },
  Event: { createsOnUpdate: true, validate: validateCoreEvent },
  NewerEvent: { createsOnUpdate: true, validate: validateNewerEvent },
  NetworkPolicy: { generation: SPEC, validate: validateNetworkPolicy },
  Role: { createsOnUpdate: true, validate: validateRole },
  ClusterRole: { createsOnUpdate: true, validate: validateRole },
  RoleBinding: { createsOnUpdate: true, validate: validateBinding },
  ClusterRoleBinding: { createsOnUpdate: true, validate: validateBinding },
  StorageClass: RETURNED,
  Deployment: { status: true, initialStatus: {}, generation: SPEC, statusKeeps: 'labels' },
  ValidatingAdmissionPolicy: { status: true, initialStatus: {}, generation: SPEC, statusKeeps: 'metadata' },
  ValidatingAdmissionPolicyBinding: { generation: SPEC },
  ValidatingWebhookConfiguration: { generation: ['webhooks'] },
  MutatingWebhookConfiguration: { generation: ['webhooks'] },
  CustomResourceDefinition: {
    status: true,
    conditional: true,
    generation: SPEC,
    prepare: prepareDefinition,
    validate: validateDefinition,
    statusKeeps: 'metadata',
    terminate: terminateDefinition,
    ...RETURNED,
  },
};

/** Rules of what admission does, which it states itself. */
const RULES: Readonly<Record<string, (strategy: Strategy) => Strategy>> = {
  ValidatingWebhookConfiguration: withWebhookRules,
  MutatingWebhookConfiguration: withoutMutatingWebhooks,
  ResourceQuota: withQuotaRules,
};

/** How a built-in kind behaves. */
export function buildStrategy(kind: string, schema: CompiledSchema): Strategy {
  const strategy = buildFromTraits(kind, schema);
  return RULES[kind]?.(strategy) ?? strategy;
}

function buildFromTraits(kind: string, schema: CompiledSchema): Strategy {
  const traits = TRAITS[kind] ?? {};
  const { status = false, prepare = same, validate = noErrors, allocate, terminate } = traits;
  const keepStatus = (object: ApiObject, old: ApiObject): ApiObject =>
    status ? takeMember(object, old, 'status') : object;
  return {
    allowCreateOnUpdate: traits.createsOnUpdate ?? false,
    allowUnconditionalUpdate: !(traits.conditional ?? false),
    prepareForCreate: (object) => {
      const fresh = withStatus(object, traits);
      const prepared = prepare(fresh, undefined);
      return traits.generation === undefined ? prepared : withMeta(prepared, { generation: 1 });
    },
    validate: (object) => [...schema.validate(object), ...checkFinalizers(object), ...validate(object, undefined)],
    prepareForUpdate: (object, old) => countGeneration(prepare(keepStatus(object, old), old), old, traits.generation),
    validateUpdate: (object, old) => [
      ...schema.validate(object, { old }),
      ...checkFinalizers(object),
      ...validate(object, old),
    ],
    prepareForStatusUpdate: (object, old) => onlyStatus(object, old, traits.statusKeeps),
    validateStatusUpdate: (object, old) => [
      ...schema.validate(object, { old }),
      ...(traits.validateStatus?.(object, old) ?? []),
    ],
    garbageCollection: kind.endsWith('Event') ? 'unsupported' : 'background',
    resetFields: status ? [['status']] : [],
    statusResetFields: STATUS_RESETS[traits.statusKeeps ?? 'spec'],
    returnsDeleted: traits.returnsDeleted ?? false,
    ...(allocate === undefined ? {} : { allocate }),
    ...(terminate === undefined ? {} : { terminate }),
  };
}

const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

function checkFinalizers({ metadata }: ApiObject): readonly FieldError[] {
  const why = 'name is neither a standard finalizer name nor is it fully qualified';
  return (metadata.finalizers ?? []).flatMap((name, index) => {
    const isGood = name.includes('/') || STANDARD_FINALIZERS.has(name);
    return isGood ? [] : [invalid(`metadata.finalizers[${index}]`, name, why)];
  });
}

const STATUS_RESETS = {
  spec: [['spec']],
  labels: [['spec'], ['metadata', 'labels']],
  metadata: [['metadata'], ['spec']],
} as const;

const same = (object: ApiObject): ApiObject => object;
const noErrors = (): readonly FieldError[] => [];

function withStatus(object: ApiObject, { status = false, initialStatus }: Traits): ApiObject {
  if (!status || !('status' in object || initialStatus !== undefined)) return object;
  return initialStatus === undefined ? dropMember(object, 'status') : { ...object, status: initialStatus };
}

function countGeneration(object: ApiObject, old: ApiObject, members: readonly string[] | undefined): ApiObject {
  if (members === undefined || members.every((member) => equalJson(object[member], old[member]))) return object;
  return withMeta(object, { generation: (old.metadata.generation ?? 0) + 1 });
}

/** A write of the status: everything else but, for most kinds, the metadata stays as it was. */
function onlyStatus(object: ApiObject, old: ApiObject, keeps: Traits['statusKeeps']): ApiObject {
  const withSpec = takeMember(object, old, 'spec');
  if (keeps === 'labels') return withMeta(withSpec, { labels: old.metadata.labels });
  if (keeps === undefined) return withSpec;
  return { ...withSpec, metadata: withMeta(old, { managedFields: object.metadata.managedFields }).metadata };
}
