import { z } from 'zod';
import type { GitRepository } from '../externalartifact.ts';

/** What source-controller leaves out of an environment's folder: Git's own files, or what its defaults name as well. */
export type LeftOut = 'Nothing' | 'Defaults';

/** A branch that the fleet source can fetch itself. */
export type DirectSpec = {
  readonly url: string;
  readonly branch: string;
  /** Name of the Secret beside the GitRepository. */
  readonly secret: string | undefined;
  readonly leftOut: LeftOut;
};

/**
 * What a GitRepository asks for, when fetching a branch is all of it; otherwise the field that asks for more, which is Flux's affair alone. A field that is not
 * known here asks for more.
 */
export function parseDirectSpec(
  { spec }: Pick<GitRepository, 'spec'>,
  environment: string,
): DirectSpec | { readonly declined: string } {
  const { success, data, error } = Spec.safeParse(spec);
  if (!success) {
    const [issue] = error.issues;
    const keys = issue?.code === 'unrecognized_keys' ? issue.keys : [];
    return { declined: `spec.${[...(issue?.path ?? []), ...keys.slice(0, 1)].join('.')}` };
  }
  const leftOut = computeLeftOut(data.ignore, environment);
  if (leftOut === undefined) return { declined: 'spec.ignore' };
  // Flux's default, too.
  return { url: data.url, branch: data.ref?.branch ?? 'master', secret: data.secretRef?.name, leftOut };
}

const Spec = z.strictObject({
  url: z.string().regex(/^https?:\/\//),
  ref: z.strictObject({ branch: z.string().min(1).optional() }).optional(),
  secretRef: z.strictObject({ name: z.string().min(1) }).optional(),
  ignore: z.string().optional(),
  provider: z.literal('generic').optional(),
  interval: z.unknown().optional(),
  timeout: z.unknown().optional(),
  suspend: z.boolean().optional(),
  recurseSubmodules: z.literal(false).optional(),
  include: z.array(z.never()).optional(),
  sparseCheckout: z.array(z.never()).optional(),
});

/** Patterns as the reference fleet has them let in everything below the environment, as the last that matches decides. Others are not read here. */
function computeLeftOut(ignore: string | undefined, environment: string): LeftOut | undefined {
  if (ignore === undefined) return 'Defaults';
  const lines = ignore
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#') && line.trim() !== '')
    .map((line) => line.trimEnd());
  const all = ['/*', '!/tenants/', '/tenants/*', `!/tenants/${environment}/`];
  const isKnown = [all.slice(0, 2), all].some((known) => known.join('\n') === lines.join('\n'));
  return isKnown ? 'Nothing' : undefined;
}
