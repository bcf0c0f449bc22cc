import { z } from 'zod';
import { FLEET_NAMESPACE, SYSTEM_NAMESPACE } from '../model/names.ts';
import { GIT_HOST } from '../model/repository.ts';
import { DEFAULT_LIMITS } from './limits.ts';

const dnsLabel = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'is lower-case letters, digits and hyphens, at most 63');
const port = z.number().int().min(0).max(65_535);
const count = z.number().int().min(1);
const durationMs = z
  .number()
  .int()
  .min(1)
  .max(7 * 24 * 3_600_000);

const Limits = z
  .strictObject({
    archiveBytes: count.default(DEFAULT_LIMITS.archiveBytes),
    unpackedBytes: count.default(DEFAULT_LIMITS.unpackedBytes),
    compressionRatio: count.default(DEFAULT_LIMITS.compressionRatio),
    entries: count.default(DEFAULT_LIMITS.entries),
    pathDepth: count.default(DEFAULT_LIMITS.pathDepth),
    pathBytes: count.default(DEFAULT_LIMITS.pathBytes),
    folderFiles: count.default(DEFAULT_LIMITS.folderFiles),
    folderBytes: count.default(DEFAULT_LIMITS.folderBytes),
    fileBytes: count.default(DEFAULT_LIMITS.fileBytes),
    folderResources: count.default(DEFAULT_LIMITS.folderResources),
    yamlDepth: count.max(64).default(DEFAULT_LIMITS.yamlDepth),
    yamlAliases: z.number().int().min(0).max(100).default(DEFAULT_LIMITS.yamlAliases),
  })
  .prefault({});

/** Every setting of the fleet source. */
export const SourceConfig = z.strictObject({
  /** Which `tenants/<environment>/` this cluster takes. */
  environment: dnsLabel,
  /** Where the fleet's GitRepository is and the ExternalArtifacts go. */
  namespace: dnsLabel.default(FLEET_NAMESPACE),
  /** Name of the GitRepository. */
  repository: dnsLabel.default('fleet'),
  /** Folder on the volume that holds the archives. */
  directory: z.string().min(1),
  /** Where the archive server listens. */
  listen: z.strictObject({ address: z.string().min(1).default('0.0.0.0'), port: port.default(9_790) }).prefault({}),
  /**
   * How Flux reaches the archive server: `http://<host>[:<port>]`, no slash at the end. It is part of every artifact, so changing it writes
   * every artifact once. Absent: the address that it listens on.
   */
  advertisedUrl: z
    .string()
    .regex(
      /^https?:\/\/[A-Za-z0-9.:[\]-]+(\/[A-Za-z0-9._-]+)*$/,
      'is http://<host>[:<port>] without a slash at the end',
    )
    .optional(),
  /** Where /metrics, /healthz and /readyz listen. */
  manage: z.strictObject({ address: z.string().min(1).default('0.0.0.0'), port: port.default(8_080) }).prefault({}),
  leaderElection: z
    .strictObject({
      enabled: z.boolean().default(true),
      /** Where the Lease is. */
      namespace: dnsLabel.default(SYSTEM_NAMESPACE),
      name: dnsLabel.default('sublet-source'),
      leaseDurationMs: durationMs.default(15_000),
      renewDeadlineMs: durationMs.default(10_000),
      retryPeriodMs: durationMs.default(2_000),
    })
    .prefault({}),
  /** A revision may remove this much without asking: the larger of `least` and `percent` of what is accepted. */
  shrink: z
    .strictObject({ least: z.number().int().min(0).default(3), percent: z.number().int().min(0).max(100).default(5) })
    .prefault({}),
  /** How long a watch lives before it is renewed; bounds how late a change can be seen when a connection went silent. */
  watchSeconds: z.number().int().min(1).max(86_400).default(24),
  /** Hosts inside that tenants' own repositories may be on, as `host` or `host:port`; as the operator has it. */
  allowedGitHosts: z.array(z.string().regex(GIT_HOST, 'is host or host:port')).max(100).default([]),
  /** Calls at once to the API server. */
  concurrency: z.number().int().min(1).max(64).default(16),
  archiveKeepMs: durationMs.default(10 * 60_000),
  volumeCheckMs: durationMs.default(10 * 60_000),
  /** For one download of source-controller's artifact, and for one fetch from Git. */
  fetchTimeoutMs: durationMs.default(60_000),
  /** Of the copy of the fleet repository on the volume; past it the copy is made anew, and where that is too large, too, source-controller's artifact is taken. */
  cloneBytes: count.default(1024 ** 3),
  limits: Limits,
});
export type SourceConfig = z.infer<typeof SourceConfig>;

/**
 * Settings from the environment: `SUBLET_SOURCE_CONFIG` may hold all of them as JSON, and a setting's own variable goes before it. Throws
 * an Error that names each bad setting.
 */
export function parseSourceConfig(env: Readonly<Record<string, string | undefined>>): SourceConfig {
  const { listen, manage, ...base } = parseBase(env.SUBLET_SOURCE_CONFIG);
  const own = Object.entries(VARIABLES).flatMap(([variable, name]) =>
    env[variable] === undefined ? [] : [[name, env[variable]] as const],
  );
  const result = SourceConfig.safeParse({
    ...base,
    ...Object.fromEntries(own),
    listen: endpoint(env.SUBLET_SOURCE_LISTEN, listen),
    manage: endpoint(env.SUBLET_SOURCE_MANAGE, manage),
  });
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join('.') || 'config'}: ${issue.message}`);
  throw new Error(
    `the fleet source's settings are wrong: ${problems.join('; ')}. See source/config.ts for what each one takes`,
  );
}

const VARIABLES = {
  SUBLET_ENVIRONMENT: 'environment',
  SUBLET_SOURCE_NAMESPACE: 'namespace',
  SUBLET_SOURCE_REPOSITORY: 'repository',
  SUBLET_SOURCE_DIRECTORY: 'directory',
  SUBLET_SOURCE_ADVERTISED_URL: 'advertisedUrl',
} as const satisfies Readonly<Record<string, keyof SourceConfig>>;

function parseBase(text: string | undefined): Readonly<Record<string, unknown>> {
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    throw new Error('SUBLET_SOURCE_CONFIG is not JSON');
  }
  throw new Error('SUBLET_SOURCE_CONFIG is not a JSON object');
}

/** `address:port`, or what the JSON settings have. */
function endpoint(text: string | undefined, otherwise: unknown): unknown {
  if (text === undefined) return otherwise;
  const colon = text.lastIndexOf(':');
  return { address: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}
