import { z } from 'zod';
import { FLEET_NAMESPACE, ROOT_NAMESPACE } from '../model/names.ts';
import { GIT_HOST } from '../model/repository.ts';
import { OidcIssuer } from './authenticate/claims.ts';

const SCHEMAS = /^(https:\/\/[!-~]*[^\s/]|\w[\w.-]*(\/\w[\w.-]*)*)$/;

/** Which changes become a pull request: those that are of all that the rule says. The first rule that fits decides. */
const ModeRule = z.strictObject({
  /** Path of a tenant: what lives in its namespace or below. Absent: everywhere. */
  tenant: z.string().max(1_024).optional(),
  kinds: z
    .array(z.enum(['Tenant', 'Plan', 'Quota', 'RDPInstance']))
    .min(1)
    .optional(),
  operations: z
    .array(z.enum(['Create', 'Edit', 'Delete']))
    .min(1)
    .optional(),
  /** Fields that the change sets or takes away, at least. A removal takes all, and counts as larger than any number. */
  minFields: z.int().min(1).max(10_000).optional(),
  mode: z.enum(['Commit', 'PullRequest']),
});
export type ModeRule = z.infer<typeof ModeRule>;

/** The forge of the fleet repository, where pull requests are opened. */
const ForgeSettings = z.strictObject({
  type: z.enum(['Gitea', 'GitHub', 'GitLab']),
  /** Absent: on the repository's host. The address of the instance for Gitea (and Forgejo) and GitLab, of the API for GitHub. */
  apiUrl: z
    .url({ protocol: /^https?$/ })
    .max(2_048)
    .optional(),
  /** Holds a token that may open, read and close pull requests of that one repository. Read at each call, so it may be rotated. */
  tokenFile: z.string().min(1).max(4_096),
});
export type ForgeSettings = z.infer<typeof ForgeSettings>;

/** Every setting of the API server. */
export const ApiConfig = z.strictObject({
  rootNamespace: z.string().max(63).default(ROOT_NAMESPACE),
  fleetNamespace: z.string().max(63).default(FLEET_NAMESPACE),
  /** Folder of this cluster below `tenants/` in the fleet repository. */
  environment: z.string().min(1).max(63).default('production'),
  /** Where people reach the API: in links that are handed out. No slash at the end. */
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .max(2_048)
    .refine((url) => !url.endsWith('/'), 'must not end with a slash'),
  listen: z
    .strictObject({ address: z.string().max(253), port: z.int().min(0).max(65_535) })
    .default({ address: '0.0.0.0', port: 8081 }),
  /** /healthz, /readyz and /metrics, apart from what the public reaches. */
  manage: z
    .strictObject({ address: z.string().max(253), port: z.int().min(0).max(65_535) })
    .default({ address: '0.0.0.0', port: 8080 }),
  trustedProxies: z.array(z.string().max(64)).max(32).default([]),
  issuers: z.array(OidcIssuer).max(16).default([]),
  modes: z.array(ModeRule).max(64).default([]),
  /** How accepted changes get to their repositories. */
  git: z
    .strictObject({
      /** Name of the fleet's GitRepository, which says where the branch is and with which Secret. */
      fleetRepository: z.string().min(1).max(63).default('fleet'),
      /** Disposable copies are made below it. */
      folder: z.string().min(1).max(4_096).default('/var/lib/sublet/git'),
      /** By which the fleet may be reached. */
      protocols: z
        .array(z.enum(['https', 'http', 'file']))
        .min(1)
        .default(['https']),
      /** Hosts inside that tenants' own repositories may have, `<host>` or `<host>:<port>`; the operator and the fleet source are told the same. */
      allowedGitHosts: z.array(z.string().regex(GIT_HOST, 'is host or host:port')).max(100).default([]),
      committer: z
        .strictObject({ name: z.string().min(1).max(200), email: z.string().min(3).max(254) })
        .default({ name: 'Sublet', email: 'noreply@sublet.invalid' }),
      /**
       * Where editors find the schemas of `crds/schemas`, for the first line of new files: a folder of the fleet repository, or an https address, which is good in tenants' own
       * repositories, too. Null: no such line.
       */
      editorSchemas: z
        .string()
        .max(512)
        .regex(SCHEMAS, 'is a folder of the fleet repository, or an https:// address, without a slash at the end')
        .nullable()
        .default('crds/schemas'),
      /** Absent: a pushed branch is the proposal, and people merge it with whatever they have. So it is in tenants' own repositories. */
      forge: ForgeSettings.optional(),
      /** Least time between two pushes to one repository, so that changes share them. Absent: what the forge asks for. */
      pushWindowMs: z.int().min(0).max(600_000).optional(),
      /** How often repositories with unfinished changes are looked at although nothing waits: merged, closed, rewritten. */
      reviewSeconds: z.int().min(1).max(3_600).default(60),
      /** Certificates (PEM) that those of the fleet's Git server and forge are signed by, instead of what the machine trusts. `ca.crt` in a repository's Secret comes first. */
      authorityFile: z.string().min(1).max(4_096).optional(),
      /** Commits of history that copies begin with; older ones come when they are needed. Absent: all. */
      depth: z.int().min(1).max(1_000_000).optional(),
    })
    .prefault({}),
  /** Where tenants may have themselves told. */
  webhooks: z
    .strictObject({
      /** Hosts inside that webhooks may have, `<host>` or `<host>:<port>`; all others have to be on the internet. */
      allowedHosts: z.array(z.string().max(253)).max(64).default([]),
      /** `http` is for development: what is sent can be read on its way. */
      protocols: z
        .array(z.enum(['https', 'http']))
        .min(1)
        .default(['https']),
    })
    .prefault({}),
  /** How long requests that run may still take after a stop was asked for. */
  drainSeconds: z.int().min(0).max(300).default(20),
  watchSeconds: z.int().min(1).max(86_400).default(24),
});
export type ApiConfig = z.infer<typeof ApiConfig>;
