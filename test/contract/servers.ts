import type { Cluster, ClusterInfo } from '../cluster/contract.ts';
import { type Embedded, startEmbedded } from './embedded.ts';
import { installFixtures, removeFixtures } from './fixtures.ts';
import { connectReal } from './real.ts';
import type { Server } from './server.ts';

/** The two servers that are compared, with the kinds that the cases need. */
export type Servers = { readonly real: Server; readonly embedded: Server };
export type OpenServers = Servers & { readonly inProcess: Embedded; close(): Promise<void> };

export async function openServers(cluster: Cluster, info: ClusterInfo): Promise<OpenServers> {
  const real = await connectReal(cluster, info);
  const inProcess = await startEmbedded(info.kubectl);
  const { server: embedded } = inProcess;
  await Promise.all([installFixtures(real), installFixtures(embedded)]);
  return {
    real,
    embedded,
    inProcess,
    close: async () => {
      await inProcess.close();
      await removeFixtures(real);
      await real.close();
    },
  };
}
