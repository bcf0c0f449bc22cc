import type { Client } from '../kube/client.ts';
import { isInvalid, isNotFound } from '../kube/errors.ts';
import { GITREPOSITORIES } from '../model/flux.ts';
import type { GitRepository } from './externalartifact.ts';

/**
 * Takes a confirmation away once the revision that it names is published: it was for what that revision took away then. A branch that goes back
 * to the same commit later may take away more, and is judged by that. What confirms another revision is left alone; no call when nothing does.
 */
export async function spendConfirmation(
  client: Client,
  { metadata }: GitRepository,
  confirmation: { readonly annotation: string; readonly revision: string },
  signal: AbortSignal,
): Promise<void> {
  const { annotation, revision } = confirmation;
  if (metadata.annotations?.[annotation] !== revision) return;
  const path = `/metadata/annotations/${annotation.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const ops = [
    { op: 'test', path, value: revision },
    { op: 'remove', path },
  ] as const;
  try {
    await client.patch<GitRepository>(GITREPOSITORIES, metadata, { type: 'json', ops }, { signal });
  } catch (error) {
    // Gone, or a person confirms something else by now.
    if (!isNotFound(error) && !isInvalid(error)) throw error;
  }
}
