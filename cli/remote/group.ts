import type { Command } from 'commander';
import { ApiError, listAll, takeAll } from '../../client/index.ts';
import { ROOT_NAMESPACE, tenantNamespace } from '../../model/names.ts';
import type { CliDeps } from '../deps.ts';
import { CliExit, EXIT } from '../exit.ts';
import { documentCommand } from '../help.ts';
import type { ResourceApi } from './apis.ts';
import { call } from './call.ts';
import {
  addReadOptions,
  addWriteOptions,
  REMOTE_CODES,
  type ReadOptions,
  WRITE_CODES,
  type WriteOptions,
} from './options.ts';
import { printList, printOne, type Shown } from './print.ts';
import { openSession, requireTenant, type Session } from './session.ts';
import { submitWrite } from './submit.ts';

type Loaded<T> = { readonly api: ResourceApi<T>; readonly shown: Shown<T> };

/** A group of commands about one kind of resource. */
export type Group<T> = Loaded<T> & { readonly plural: string; readonly example: string };

/** `list`, which every collection has. */
export function addListCommand<T>(parent: Command, deps: CliDeps, { api, shown, plural }: Group<T>): void {
  const { noun } = api;
  const command = addReadOptions(
    parent.command('list').alias('ls').description(`list the ${plural} of a tenant`),
  ).action(async (options: ReadOptions) => {
    const { client, target } = await openSession(deps, options);
    const tenant = requireTenant(target);
    const rows = await call(() =>
      takeAll(listAll(async (cursor) => (await api.list(client, tenant, cursor, { signal: deps.signal })).data)),
    );
    await printList(deps, options.output, rows, shown);
  });
  documentCommand(command, {
    examples: [
      [`sublet ${noun} list`, "those of the context's tenant"],
      [`sublet ${noun} list --tenant acme -o name`, 'names alone, for scripts'],
    ],
    exitCodes: REMOTE_CODES,
  });
}

/** `get NAME`. */
export function addGetCommand<T>(parent: Command, deps: CliDeps, { api, shown, example }: Group<T>): void {
  const { noun } = api;
  const command = addReadOptions(
    parent.command('get').description(`show a ${noun}`).argument('<name>', `name of the ${noun}`),
  ).action(async (name: string, options: ReadOptions) => {
    const session = await openSession(deps, options);
    const { data } = await getOne(deps, session, api, name);
    await printOne(deps, options.output, data, shown);
  });
  documentCommand(command, {
    examples: [
      [`sublet ${noun} get ${example}`, 'a line'],
      [`sublet ${noun} get ${example} -o yaml`, 'everything, with status and changes that are on their way'],
    ],
    exitCodes: REMOTE_CODES,
  });
}

/** `delete NAME`. */
export function addDeleteCommand<T>(parent: Command, deps: CliDeps, { api, example }: Group<T>): void {
  const { noun } = api;
  const command = addWriteOptions(
    parent.command('delete').alias('rm').description(`remove a ${noun}`).argument('<name>', `name of the ${noun}`),
  ).action(async (name: string, options: WriteOptions) => {
    const session = await openSession(deps, options);
    const tenant = requireTenant(session.target);
    await submitWrite(deps, session, options, {
      preview: { method: 'DELETE', path: api.addressOf(tenant, name) },
      send: (callOptions) => api.remove(session.client, { tenant, name }, callOptions),
    });
  });
  documentCommand(command, {
    details: ['Data is kept for the days of grace that the resource states, unless its deletion policy is Delete.'],
    examples: [[`sublet ${noun} delete ${example} --wait`, 'and say when it is gone']],
    exitCodes: WRITE_CODES,
  });
}

/** `apply --file FILE`: everything that a resource can say, as it would be written in a repository. */
export function addApplyCommand<T>(parent: Command, deps: CliDeps, { api, plural }: Group<T>): void {
  const { noun } = api;
  const command = addWriteOptions(
    parent
      .command('apply')
      .description(`make ${plural} or change them to what a file says`)
      .requiredOption('-f, --file <file>', 'a YAML file as in a repository; - reads standard input'),
  ).action(async (options: WriteOptions & { readonly file: string }) => {
    const { readDeclared } = await import('./documents.ts');
    const declared = await readDeclared(deps, options.file, api.kind);
    const session = await openSession(deps, options);
    const tenant = requireTenant(session.target);
    const namespace = tenant === '-' ? ROOT_NAMESPACE : tenantNamespace(tenant);
    const foreign = declared.find((one) => one.namespace !== undefined && one.namespace !== namespace);
    if (foreign !== undefined)
      throw new CliExit(
        EXIT.usage,
        `${foreign.where}: metadata.namespace is ${foreign.namespace}, but ${tenant} has the namespace ${namespace}; name its tenant, or leave it out`,
      );
    for (const { name, spec } of declared) {
      const { idempotencyKey } = options;
      // One key is one request.
      const key =
        idempotencyKey === undefined || declared.length === 1 ? {} : { idempotencyKey: `${idempotencyKey}:${name}` };
      await applyOne(deps, session, { ...options, ...key }, { api, tenant, name, spec });
    }
  });
  documentCommand(command, {
    details: [
      'What the file does not state is taken away; fields that others changed meanwhile make a conflict and are not overwritten.',
    ],
    examples: [
      [`sublet ${noun} apply -f ${noun}.yaml --wait`, 'and wait until it is so'],
      [`sublet ${noun} apply -f - --dry-run < ${noun}.yaml`, 'check it and show what would be sent'],
    ],
    exitCodes: WRITE_CODES,
  });
}

type Application = {
  readonly api: Pick<ResourceApi<unknown>, 'addressOf' | 'get' | 'create' | 'replace'>;
  readonly tenant: string;
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
};

async function applyOne(
  deps: CliDeps,
  session: Session,
  options: WriteOptions,
  { api, tenant, name, spec }: Application,
): Promise<void> {
  const etag = options.dryRun ? undefined : await call(() => findEtag(deps, session, api, { tenant, name }));
  const isNew = etag === undefined;
  await submitWrite(deps, session, options, {
    preview: { method: 'PUT', path: api.addressOf(tenant, name), body: { spec } },
    send: (callOptions) =>
      isNew
        ? api.create(session.client, { tenant, name }, spec, callOptions)
        : api.replace(session.client, { tenant, name }, spec, { ...callOptions, ifMatch: etag }),
  });
}

async function findEtag(
  deps: CliDeps,
  { client }: Session,
  api: Pick<ResourceApi<unknown>, 'get'>,
  place: { readonly tenant: string; readonly name: string },
): Promise<string | undefined> {
  try {
    return (await api.get(client, place, { signal: deps.signal })).etag;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

export function getOne<T>(deps: CliDeps, { client, target }: Session, api: ResourceApi<T>, name: string) {
  const tenant = requireTenant(target);
  return call(() => api.get(client, { tenant, name }, { signal: deps.signal }));
}
