import type { Client } from '../kube/client.ts';
import type { KubeObject, Resource } from '../kube/object.ts';

const PAGE = 500;
const MOST_PAGES = 10;

/** Of what no cache holds in a namespace: all, up to 5 000. The API server gives them by name, so whoever wants the newest has to see the others. */
export async function listPages<T extends KubeObject>(
  client: Pick<Client, 'list'>,
  resource: Resource,
  { namespace, signal }: { readonly namespace: string; readonly signal: AbortSignal },
): Promise<{ readonly items: readonly T[]; readonly isWhole: boolean }> {
  const items: T[] = [];
  let next: string | undefined;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const page = await client.list<T>(resource, { namespace, limit: PAGE, continue: next, signal });
    items.push(...page.items);
    next = page.metadata.continue;
    if (next === undefined || next === '') return { items, isWhole: true };
  }
  return { items, isWhole: false };
}
