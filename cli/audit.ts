import type { Command } from 'commander';
import { listAll, type Operation, type Output, takeAll } from '../client/index.ts';
import type { CliDeps } from './deps.ts';
import { documentCommand } from './help.ts';
import { call } from './remote/call.ts';
import { addReadOptions, parseLimit, REMOTE_CODES, type ReadOptions } from './remote/options.ts';
import { printList, type Shown } from './remote/print.ts';
import { openSession, requireTenant } from './remote/session.ts';

type Entry = Output<Operation<'/v1/tenants/{path}/audit', 'get'>>['items'][number];

const AUDIT_SHOWN: Shown<Entry> = {
  name: ({ change, type, at }) => (change === undefined ? `${type.toLowerCase()}/${at}` : `change/${change}`),
  none: 'Nothing was done.',
  columns: [
    { title: 'AT', cell: ({ at }) => at },
    { title: 'WHO', cell: ({ who }) => who },
    { title: 'WHAT', cell: ({ type, action }) => action ?? type },
    { title: 'RESOURCE', cell: ({ target, files }) => files?.join(',') ?? `${target.kind}/${target.name}` },
    { title: 'STATE', cell: ({ state }) => state ?? '' },
    { title: 'COMMIT', cell: ({ commit }) => commit?.slice(0, 12) ?? '' },
    { title: 'SUBJECT', wide: true, cell: ({ subject }) => subject ?? '' },
    { title: 'FROM', wide: true, cell: ({ from }) => from ?? '' },
    { title: 'UNTIL', wide: true, cell: ({ until }) => until ?? '' },
    { title: 'KEY', wide: true, cell: ({ key }) => key ?? '' },
    { title: 'CHANGE', wide: true, cell: ({ change }) => change ?? '' },
    { title: 'REQUEST', wide: true, cell: ({ requestId }) => requestId ?? '' },
  ],
};

/** `sublet audit`: who did what, and by which commit. */
export function addAuditCommand(program: Command, deps: CliDeps): void {
  const command = addReadOptions(
    program
      .command('audit')
      .description('who did what to what a tenant has, through the API and around it, newest first')
      .option('--limit <count>', 'at most so many', parseLimit, 50),
  ).action(async (options: ReadOptions & { readonly limit: number }) => {
    const { client, target } = await openSession(deps, options);
    const path = { path: requireTenant(target) };
    const pages = listAll(async (cursor) => {
      const query = { limit: Math.min(options.limit, 500), ...(cursor === undefined ? {} : { cursor }) };
      return (await client.get('/v1/tenants/{path}/audit', { path, query }, { signal: deps.signal })).data;
    });
    const rows = await call(() => takeAll(pages, options.limit));
    await printList(deps, options.output, rows, AUDIT_SHOWN);
  });
  documentCommand(command, {
    details: [
      'Orders with their commits, passwords that were shown, keys, invitations and webhooks. KeyUsed is one for each day (UTC) and address from which a key was used: AT is the first use, UNTIL the last. Commit is one that somebody made themselves, ClusterWrite what a program wrote past Git, by the name that it gives itself.',
    ],
    examples: [
      ['sublet audit --tenant acme--bob', 'the last 50'],
      ['sublet audit --tenant acme--bob --limit 1000 -o json', 'for programs'],
      ['sublet audit --tenant acme--bob --limit 1000 -o wide | grep KEY_ID', 'all that was done with a key'],
    ],
    exitCodes: REMOTE_CODES,
  });
}
