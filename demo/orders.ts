import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import type { Progress } from '../cli/progress.ts';
import { type Change, type Client, createClient, waitForChange } from '../client/index.ts';

const WAIT_MS = 300_000;

/** What the API takes for a new resource. */
type Body = { readonly name: string; readonly spec: never };
type Submit = (client: Client, body: Body) => Promise<{ readonly data: { readonly id: string } }>;

export type Orders = {
  /** Hands in what a file of the reference fleet declares, and shows how the order becomes a commit, and the commit what was ordered. */
  order(who: string, what: string, file: string, submit: Submit): Promise<void>;
};

/** Orders as a panel makes them: by the API's own client. */
export function createOrders(options: {
  readonly server: string;
  tokenFor(user: string): Promise<string>;
  readonly progress: Progress;
  /** Of the reference fleet's tenants. */
  readonly folder: string;
  readonly signal: AbortSignal;
}): Orders {
  const { server, tokenFor, progress, folder, signal } = options;
  return {
    order: async (who, what, file, submit) => {
      progress.step(`${who} orders by the API: ${what}`);
      const client = createClient({ server, token: await tokenFor(who) });
      const { metadata, spec } = parse(await readFile(path.join(folder, file), 'utf8'));
      const { data } = await submit(client, { name: metadata.name, spec: spec as never });
      const change = await waitForChange(client, data.id, { until: 'Ready', timeoutMs: WAIT_MS, signal });
      if (change.state !== 'Ready')
        throw new Error(`the order of ${what} ended as ${change.state}: ${change.message ?? change.reason ?? ''}`);
      progress.detail(renderWay(change));
    },
  };
}

/** Where it has been, whether or not anybody saw it there: states that follow each other fast are heard of as the last one. */
function renderWay({ state, commit = '' }: Change): string {
  return ['Accepted', `Committed ${commit.slice(0, 8)}`, state].join(' -> ');
}
