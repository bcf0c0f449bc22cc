import { z } from 'zod';
import { FLEET_NAMESPACE, ROOT_NAMESPACE } from '../model/names.ts';
import { OidcIssuer } from './authenticate/claims.ts';

/** Which changes become a pull request; the first rule that fits decides. */
const ModeRule = z.strictObject({
  /** Path of a tenant: what lives in its namespace or below. Absent: everywhere. */
  tenant: z.string().max(1_024).optional(),
  kinds: z
    .array(z.enum(['Tenant', 'Plan', 'Quota', 'RDPInstance']))
    .min(1)
    .optional(),
  mode: z.enum(['Commit', 'PullRequest']),
});

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
      allowedGitHosts: z.array(z.string().max(253)).max(64).default([]),
      committer: z
        .strictObject({ name: z.string().min(1).max(200), email: z.string().min(3).max(254) })
        .default({ name: 'Sublet', email: 'noreply@sublet.invalid' }),
    })
    .prefault({}),
  /** How long requests that run may still take after a stop was asked for. */
  drainSeconds: z.int().min(0).max(300).default(20),
  watchSeconds: z.int().min(1).max(86_400).default(24),
});
export type ApiConfig = z.infer<typeof ApiConfig>;

/** The mode of a change in the namespace of `path` (absent: the provider's). */
export function chooseMode(
  modes: ApiConfig['modes'],
  { path, kind }: { readonly path: string | undefined; readonly kind: string },
): 'Commit' | 'PullRequest' {
  const rule = modes.find(
    ({ tenant, kinds }) =>
      (tenant === undefined || path === tenant || path?.startsWith(`${tenant}--`) === true) &&
      (kinds === undefined || kinds.some((one) => one === kind)),
  );
  return rule?.mode ?? 'Commit';
}
