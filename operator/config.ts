import { z } from 'zod';
import { FLEET_NAMESPACE, IMAGES_NAMESPACE, ROOT_NAMESPACE, SYSTEM_NAMESPACE } from '../model/names.ts';
import { GIT_HOST } from '../model/repository.ts';

const seconds = (fallback: number, max = 86_400) => z.number().int().min(1).max(max).default(fallback);

const CUSTOMER_COUNTS = {
  'rdpinstances.sublet.dev': 500,
  configmaps: 200,
  secrets: 1_000,
  services: 1_000,
  persistentvolumeclaims: 1_000,
  pods: 2_000,
  // Members may make some before their seller makes the Tenant a Reseller; until then they are refused.
  'tenants.sublet.dev': 20,
  'plans.sublet.dev': 20,
  'quotas.sublet.dev': 20,
};
const RESELLER_COUNTS = {
  ...CUSTOMER_COUNTS,
  'tenants.sublet.dev': 5_000,
  'plans.sublet.dev': 500,
  'quotas.sublet.dev': 5_000,
};

const ObjectCounts = z.record(z.string().max(253), z.number().int().min(0).max(1_000_000));

/** Every setting of the operator. All have defaults; `sublet operator --help` prints them. */
export const OperatorConfig = z.strictObject({
  /** Namespace of the provider's Tenants and Plans. */
  rootNamespace: z.string().max(63).default(ROOT_NAMESPACE),
  /** Where the software runs: the Lease and the breaker's state live here. */
  systemNamespace: z.string().max(63).default(SYSTEM_NAMESPACE),
  /** Where Flux's objects for the fleet live. */
  fleetNamespace: z.string().max(63).default(FLEET_NAMESPACE),
  /** Where the DataSources of images live. */
  imagesNamespace: z.string().max(63).default(IMAGES_NAMESPACE),
  /** ServiceAccount of the API in the system namespace, which may then read the one Secret of each desktop; absent where no API runs. */
  apiServiceAccount: z.string().min(1).max(253).optional(),
  /** Name of this process in Events; a pod's name. */
  instance: z.string().min(1).max(128).default('sublet-operator'),
  leaderElection: z.boolean().default(true),
  /** Address of /metrics, /healthz and /readyz; port 0 picks a free one, null serves none of them. */
  bindAddress: z.string().max(253).default('0.0.0.0'),
  port: z.number().int().min(0).max(65_535).nullable().default(8080),
  /** Reconciles of one kind that run at once. */
  workers: z.number().int().min(1).max(256).default(16),
  /**
   * How long a watch lives before it is renewed. A connection that went silent is found out at the renewal, so this bounds how late a
   * change can be seen.
   */
  watchSeconds: seconds(24),
  dns: z
    .strictObject({ namespace: z.string().max(63), podLabels: z.record(z.string().max(253), z.string().max(63)) })
    .default({ namespace: 'kube-system', podLabels: { 'k8s-app': 'kube-dns' } }),
  objectCounts: z
    .strictObject({ Customer: ObjectCounts, Reseller: ObjectCounts })
    .default({ Customer: CUSTOMER_COUNTS, Reseller: RESELLER_COUNTS }),
  /** How often Flux looks at a folder by itself; a changed artifact is applied at once. */
  kustomizationInterval: z
    .string()
    .regex(/^[1-9][0-9]{0,3}[smh]$/)
    .default('1h'),
  /** How soon Flux tries a folder again that it could not apply. */
  kustomizationRetryInterval: z
    .string()
    .regex(/^[1-9][0-9]{0,3}[smh]$/)
    .default('30s'),
  /** How often Flux asks a tenant's own repository for a new commit. */
  repositoryInterval: z
    .string()
    .regex(/^[1-9][0-9]{0,3}[smh]$/)
    .default('1m'),
  /**
   * Hosts inside that tenants' own repositories may be on, as `host` (its scheme's own port) or `host:port`: a private forge. All others have to be on the
   * internet. The fleet source has the same setting.
   */
  allowedGitHosts: z.array(z.string().regex(GIT_HOST, 'is host or host:port')).max(100).default([]),
  probe: z
    .strictObject({
      /** Longest wait for one RDP answer. */
      timeoutSeconds: seconds(5, 60),
      /** Between two probes of a desktop that answered. */
      intervalSeconds: seconds(60),
      /** Failures in a row before a desktop that answered is called `ProbeFailed`. */
      failureThreshold: z.number().int().min(1).max(100).default(3),
    })
    .prefault({}),
  breaker: z
    .strictObject({
      /** Removals within an hour that are always allowed. */
      minimum: z.number().int().min(0).max(1_000_000).default(3),
      /** Share of all tenants and desktops, in percent, that may be removed within an hour. */
      percent: z.number().min(0).max(100).default(5),
    })
    .prefault({}),
  /** Guest vCPUs that share one CPU of a node: a desktop requests its vCPUs divided by this. */
  vcpusPerCpu: z.number().min(1).max(64).default(4),
  /** Address in front of the nodes for desktops of access type NodePort; none: such desktops say that there is none. */
  nodePortAddress: z.string().max(253).optional(),
});

export type OperatorConfig = z.infer<typeof OperatorConfig>;
