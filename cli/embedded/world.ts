import path from 'node:path';
import type { Logger } from 'pino';
import type { Client } from '../../kube/client.ts';
import { realClock } from '../../kube/clock.ts';
import { ANNOTATION_REQUESTED_AT, GITREPOSITORIES } from '../../model/flux.ts';
import { FLEET_NAMESPACE } from '../../model/names.ts';
import { type GitRemote, startGitServer } from '../../simulator/git/server.ts';
import type { SimulatorOptions } from '../../simulator/kubevirt/options.ts';
import type { Access } from './access.ts';
import { type EmbeddedApi, startEmbeddedApi } from './api.ts';
import { type Checkout, openCheckout } from './fleet.ts';
import { installFleet, installPrerequisites } from './install.ts';
import { startRoles } from './roles.ts';

export type WorldOptions = {
  /** The git remote, the checkout and archives are kept here; a second start goes on where the first one was. */
  readonly folder: string;
  readonly environment: 'staging' | 'production';
  /** Where the git remote listens; 0 picks a free port, which another start will not have. */
  readonly gitPort: number;
  /** Where Sublet's own API listens; 0 picks a free port. */
  readonly restPort: number;
  /** Whether the first commit of a new fleet repository orders what the reference fleet orders. */
  readonly orders: boolean;
  readonly kubevirt: SimulatorOptions;
};

export type WorldDeps = {
  readonly access: Access;
  readonly log: Logger;
  /** Told before each thing that takes its time. */
  readonly step: (text: string) => void;
};

/** Sublet's roles, simulated Flux and KubeVirt in this process, and a fleet repository on loopback, on some cluster. */
export type World = {
  readonly environment: string;
  readonly access: Access;
  readonly remote: GitRemote;
  readonly checkout: Checkout;
  readonly api: EmbeddedApi;
  /** Rejects when a part gives up by itself. */
  readonly stopped: Promise<void>;
  stop(): Promise<void>;
};

/** Installs Sublet and starts its roles. Rejects, with everything stopped again, when something cannot be had. */
export async function startWorld({ access, log, step }: WorldDeps, options: WorldOptions): Promise<World> {
  const { folder, environment } = options;
  const git = await startRemote({ client: access.admin, log }, path.join(folder, 'git'), options.gitPort);
  const undo: (() => Promise<void>)[] = [git.stop];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const checkout = await openCheckout(path.join(folder, 'fleet'), git.remote, { orders: options.orders });
    if (!checkout.isPublished && options.orders) await checkout.push('Begin with the reference fleet');
    step('installing Sublet and what connects it to the fleet repository');
    await installPrerequisites(access);
    await installFleet(access, { folder: checkout.path, environment, url: git.remote.url });
    step('starting the operator, the fleet source, the API, and simulated Flux and KubeVirt');
    const roles = await startRoles({ access, log }, { folder, environment, kubevirt: options.kubevirt });
    undo.push(roles.stop);
    const api = await nameTaken(
      `port ${options.restPort} for Sublet's API`,
      startEmbeddedApi({ access, log }, { folder, environment, port: options.restPort }),
    );
    undo.push(api.stop);
    const stopped = Promise.all([roles.stopped, api.stopped]).then(() => {});
    stopped.catch(() => {});
    return { environment, access, remote: git.remote, checkout, api, stopped, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Flux hears of a push at once, as by a webhook of a forge. */
async function startRemote(
  { client, log }: { readonly client: Client; readonly log: Logger },
  folder: string,
  port: number,
): Promise<{ readonly remote: GitRemote; stop(): Promise<void> }> {
  const onPush = (): void => {
    const annotations = { [ANNOTATION_REQUESTED_AT]: new Date(realClock.now()).toISOString() };
    const patch = { type: 'merge', body: { metadata: { annotations } } } as const;
    client
      .patch(GITREPOSITORIES, { namespace: FLEET_NAMESPACE, name: 'fleet' }, patch)
      .catch((error) => log.debug({ err: error }, 'Flux was not told of a push'));
  };
  const git = await nameTaken(`port ${port} for the git remote`, startGitServer(folder, { port, onPush }));
  return { remote: await git.remote('fleet'), stop: git.stop };
}

/** What listens, or an Error that says which address is taken. */
export async function nameTaken<T>(what: string, listening: Promise<T>): Promise<T> {
  try {
    return await listening;
  } catch (error) {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    if (isTaken)
      throw new Error(`${what} is taken by another program: stop that one, or choose other ports with --port`);
    throw error;
  }
}
