import type { OwnCluster } from '../../cluster/cluster.ts';

const MEMORY = 'process_resident_memory_bytes';
const DATA = 'etcd_mvcc_db_total_size_in_use_in_bytes';

/** How much memory the API server and etcd take just now, and how much data etcd holds, by their own metrics; in words. */
export async function describeFootprint(cluster: OwnCluster): Promise<string> {
  const { etcdUrl } = cluster.info;
  if (etcdUrl === undefined) throw new Error('this cluster does not say where its etcd is');
  const apiServer = String(await cluster.admin.ask('GET', '/metrics'));
  const etcd = await (await fetch(`${etcdUrl}/metrics`)).text();
  return `API server ${readMebibytes(apiServer, MEMORY)} MiB, etcd ${readMebibytes(etcd, MEMORY)} MiB with ${readMebibytes(etcd, DATA)} MiB of data`;
}

/** The value of a series without labels, in whole MiB. */
function readMebibytes(text: string, series: string): number {
  const value = Number(text.match(new RegExp(`^${series} (\\S+)$`, 'm'))?.[1]);
  if (!Number.isFinite(value)) throw new Error(`the metrics have no ${series}`);
  return Math.round(value / 2 ** 20);
}
