import { type Answer, type CallOptions, type Change, changeOf, waitForChange } from '../../client/index.ts';
import { parseResource } from '../../crds/rules/index.ts';
import type { SubletResource } from '../../crds/v1alpha1/resources.ts';
import { API_VERSION } from '../../model/group.ts';
import type { CliDeps } from '../deps.ts';
import { CliExit, EXIT } from '../exit.ts';
import { showText } from '../output/text.ts';
import { call } from './call.ts';
import type { WriteOptions } from './options.ts';
import { printOne, type Shown } from './print.ts';
import type { Session } from './session.ts';

/** A write that the server answers with a change, or with the resource when nothing is different. */
export type Write = {
  /** What would be sent, for `--dry-run`: method, path and body. */
  readonly preview: { readonly method: string; readonly path: string; readonly body?: unknown };
  readonly send: (options: CallOptions) => Promise<Answer<unknown>>;
};

/** Sends a write, prints the change, and waits for it where that was asked for. */
export async function submitWrite(
  deps: CliDeps,
  { client }: Session,
  options: WriteOptions,
  write: Write,
): Promise<void> {
  if (options.dryRun) return printPreview(deps, options, write);
  const key = options.idempotencyKey;
  const answer = await call(() =>
    write.send({ signal: deps.signal, ...(key === undefined ? {} : { idempotencyKey: key }) }),
  );
  const change = await call(async () => changeOf(answer));
  if (change === undefined) return deps.err('nothing is different; nothing was changed\n');
  if (options.wait === undefined) return printChange(deps, options, change);
  await finishChange(deps, options, await followChange(deps, client, options, change.id));
}

/** Waits, and says each state on standard error as it comes. */
export async function followChange(
  deps: CliDeps,
  client: Session['client'],
  options: Pick<WriteOptions, 'wait' | 'timeout'>,
  id: string,
): Promise<Change> {
  return call(() =>
    waitForChange(client, id, {
      until: options.wait === 'Applied' ? 'Applied' : 'Ready',
      timeoutMs: options.timeout * 1_000,
      signal: deps.signal,
      onState: (change) => deps.err(`${renderState(change)}\n`),
    }),
  );
}

/** A pull request is where somebody has to go. */
function renderState({ state, message, pullRequest }: Change): string {
  const more = message ?? (state === 'Proposed' ? pullRequest?.url : undefined);
  return more === undefined ? state : `${state}: ${showText(more)}`;
}

/** Prints where it ended; a change that did not get there is an exit code. */
export async function finishChange(
  deps: CliDeps,
  options: Pick<WriteOptions, 'output' | 'wait'>,
  change: Change,
): Promise<void> {
  await printChange(deps, options, change);
  const wanted = options.wait === 'Applied' ? ['Applied', 'Ready'] : ['Ready'];
  const isGone = change.type === 'Delete' && change.state === 'Gone';
  if (!wanted.includes(change.state) && !isGone) throw new CliExit(EXIT.refused, renderOutcome(change));
}

export const CHANGE_SHOWN: Shown<Change> = {
  name: ({ id }) => `change/${id}`,
  none: 'No changes.',
  columns: [
    { title: 'CHANGE', cell: ({ id }) => id },
    { title: 'STATE', cell: ({ state }) => state },
    { title: 'TYPE', cell: ({ type }) => type },
    { title: 'RESOURCE', cell: ({ target }) => `${target.kind}/${target.name}` },
    { title: 'TENANT', cell: ({ target }) => target.tenant ?? target.namespace },
    { title: 'REASON', cell: ({ reason }) => reason ?? '' },
    { title: 'ACCEPTED', cell: ({ acceptedAt }) => acceptedAt },
    { title: 'AUTHOR', wide: true, cell: ({ author }) => author },
    { title: 'COMMIT', wide: true, cell: ({ commit, pullRequest }) => commit?.slice(0, 12) ?? pullRequest?.url ?? '' },
  ],
};

export function printChange(deps: CliDeps, { output }: Pick<WriteOptions, 'output'>, change: Change): Promise<void> {
  return printOne(deps, output, change, CHANGE_SHOWN);
}

function renderOutcome({ id, state, reason, message, differences = [] }: Change): string {
  const why = [reason, message].filter((text) => text !== undefined).join(': ');
  const lines = differences.map(
    ({ path, wanted, found }) => `  ${path}: wanted ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`,
  );
  return [`change ${id} is ${state}${why === '' ? '' : `: ${why}`}`, ...lines].join('\n');
}

async function printPreview(deps: CliDeps, { output }: WriteOptions, { preview }: Write): Promise<void> {
  if (output === 'yaml') return deps.out((await import('yaml')).stringify(preview));
  deps.out(`${JSON.stringify(preview, null, 2)}\n`);
}

/** A resource that is to be made, judged by its schema before it is sent: the same words as the server's, without asking it. */
export function checkNew(kind: SubletResource['kind'], name: string, spec: Readonly<Record<string, unknown>>): void {
  const parsed = parseResource({ apiVersion: API_VERSION, kind, metadata: { name }, spec });
  if (parsed.ok) return;
  throw new CliExit(EXIT.usage, parsed.errors.map(({ path, message }) => `${path}: ${message}`).join('\n'));
}
