import path from 'node:path';
import type { Logger } from 'pino';
import { realClock, realRandom } from '../../kube/clock.ts';
import type { Manager } from '../../kube/manager.ts';
import { createMetrics } from '../../kube/metrics.ts';
import { SYSTEM_NAMESPACE } from '../../model/names.ts';
import { OperatorConfig } from '../../operator/config.ts';
import { dialTcp } from '../../operator/dial.ts';
import { createOperator } from '../../operator/operator.ts';
import { createMemoryArtifactHost } from '../../simulator/flux/artifacts.ts';
import { createGitReader } from '../../simulator/flux/git/binary.ts';
import { startFluxSimulator } from '../../simulator/flux/simulator.ts';
import type { SimulatorOptions } from '../../simulator/kubevirt/options.ts';
import { startKubeVirtSimulator } from '../../simulator/kubevirt/simulator.ts';
import type { Access } from './access.ts';
import { createEmbeddedSource } from './source.ts';

export type RunningRoles = {
  /** Rejects when a role gives up by itself; resolves when all have stopped. */
  readonly stopped: Promise<void>;
  stop(): Promise<void>;
};

export type RolesOptions = {
  /** Where archives and clones go. */
  readonly folder: string;
  readonly environment: string;
  readonly kubevirt: SimulatorOptions;
};

/**
 * Starts Sublet's roles and simulated Flux and KubeVirt in this process, each as its ServiceAccount (Flux's own part as the administrator). The definitions have to be
 * there. Resolves when all of them work.
 */
export async function startRoles(
  deps: { readonly access: Access; readonly log: Logger },
  options: RolesOptions,
): Promise<RunningRoles> {
  const { access } = deps;
  const shared = (role: string, namespace?: string) => ({
    clock: realClock,
    random: realRandom,
    log: deps.log.child({ role }),
    client: namespace === undefined ? access.admin : access.clientFor({ namespace, name: role }),
  });
  const artifacts = createMemoryArtifactHost();
  const source = createEmbeddedSource(
    { ...shared('sublet-source', SYSTEM_NAMESPACE), openUrl: artifacts.openUrl },
    { folder: path.join(options.folder, 'artifacts'), environment: options.environment },
  );
  const operator = createOperator(
    { ...shared('sublet-operator', SYSTEM_NAMESPACE), metrics: createMetrics(), dial: dialTcp },
    OperatorConfig.parse({
      leaderElection: false,
      port: null,
      nodePortAddress: '127.0.0.1',
      apiServiceAccount: 'sublet-api',
    }),
  );
  const flux = {
    ...shared('flux-simulator'),
    git: createGitReader({ folder: path.join(options.folder, 'clones') }),
    artifacts,
    openUrl: source.openUrl,
    clientFor: access.clientFor,
  };
  const running = await Promise.all([
    runManager(operator),
    runManager(source.manager),
    startFluxSimulator(flux, { installDefinitions: false }),
    startKubeVirtSimulator(shared('kubevirt-simulator', 'kubevirt'), options.kubevirt),
  ]);
  const stopped = Promise.all(running.map((role) => role.stopped)).then(() => {});
  // Whoever waits hears of it; until then it is no unhandled rejection.
  stopped.catch(() => {});
  return {
    stopped,
    stop: async () => {
      for (const role of running) await role.stop();
    },
  };
}

type Running = { readonly stopped: Promise<void>; stop(): Promise<void> };

async function runManager(manager: Manager): Promise<Running> {
  const abort = new AbortController();
  const stopped = manager.start(abort.signal);
  await Promise.race([manager.ready(), stopped]);
  return {
    stopped,
    stop: async () => {
      abort.abort();
      await stopped;
    },
  };
}
