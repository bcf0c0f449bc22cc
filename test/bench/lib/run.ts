import path from 'node:path';
import { type AuditedCall, AuditTail } from './audittail.ts';
import type { Contender } from './contenders.ts';
import { findMissing } from './converged.ts';
import { RoleProcess } from './role.ts';
import { OPERATOR_USER, type Testbed } from './testbed.ts';

/** How one contender did with N Tenants; calls and seconds are the API server's own record. */
export type RunResult = {
  /** From the first write that arrived to the last that was answered. */
  readonly seconds: number;
  readonly tenantsPerSecond: number;
  readonly mutatingCalls: number;
  /** Mutating calls that the API server refused; they count as calls. */
  readonly refusedCalls: number;
  /** See {@link findReads}. */
  readonly readsAfterSync: number;
  /** What was refused or read, each kind of call once with its count. */
  readonly oddities: readonly string[];
  /** Of the whole process, its start included; for one that waits, from `go` on. */
  readonly cpuSeconds: number;
  readonly maxRssBytes: number;
};

export type RunOptions = {
  readonly testbed: Testbed;
  readonly contender: Contender;
  readonly run: string;
  readonly tenants: number;
  readonly timeoutMs: number;
  readonly cpuProfile?: string | undefined;
};

const POLL_MS = 250;
/** So long nothing may be written after the last Tenant got its status; what is, counts. */
const QUIET_MS = 1_500;

/** Creates the Tenants, lets one contender converge them, checks the outcome and clears it away. Throws when it is incomplete. */
export async function runContender(options: RunOptions): Promise<RunResult> {
  const { testbed, contender, run, tenants, cpuProfile } = options;
  await testbed.createTenants(run, tenants);
  const tail = await AuditTail.open(testbed.cluster.auditLog, OPERATOR_USER);
  const role = new RoleProcess({
    entry: contender.entry,
    args: contender.args(run, tenants),
    env: { KUBECONFIG: testbed.kubeconfigPath, NODE_EXTRA_CA_CERTS: '' },
    logPath: path.join(testbed.folder, `${run}.log`),
    cpuProfile,
  });
  try {
    await role.ready();
    const cpuBefore = contender.waits ? (await role.usage()).cpuSeconds : 0;
    const from = contender.waits ? tail.calls.length + (await tail.read()) : 0;
    role.go();
    await Promise.race([
      waitUntilDone(tail, { name: contender.name, tenants, timeoutMs: options.timeoutMs }),
      role.failed,
    ]);
    const { cpuSeconds, maxRssBytes } = await role.usage();
    const missing = await findMissing(testbed.cluster, run, tenants);
    if (missing.length > 0) throw new Error(`${contender.name} left work undone:\n${missing.join('\n')}`);
    return summarizeCalls(tail.calls.slice(from), tenants, { cpuSeconds: cpuSeconds - cpuBefore, maxRssBytes });
  } finally {
    await role.stop();
    await tail.close();
    await testbed.wipe(run);
  }
}

/** Until every Tenant had its status written and nothing was written for a while. */
export async function waitUntilDone(
  tail: AuditTail,
  { name, tenants, timeoutMs }: { readonly name: string; readonly tenants: number; readonly timeoutMs: number },
): Promise<void> {
  const done = new Set<string>();
  const startMs = performance.now();
  let seen = 0;
  let lastWriteMs = startMs;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    await tail.read();
    for (const call of tail.calls.slice(seen)) {
      if (call.write) lastWriteMs = performance.now();
      if (call.write && call.code < 300 && call.resource === 'tenants' && call.subresource === 'status')
        done.add(call.name);
    }
    seen = tail.calls.length;
    const now = performance.now();
    if (done.size >= tenants && now - lastWriteMs >= QUIET_MS) return;
    if (now - startMs > timeoutMs) {
      throw new Error(`${name} wrote the status of ${done.size} of ${tenants} Tenants within ${timeoutMs / 1_000} s`);
    }
  }
}

function summarizeCalls(
  calls: readonly AuditedCall[],
  tenants: number,
  usage: Pick<RunResult, 'cpuSeconds' | 'maxRssBytes'>,
): RunResult {
  const writes = calls.filter(({ write, resource }) => write && resource !== 'plans');
  const firstMs = Math.min(...writes.map(({ receivedMs }) => receivedMs));
  const lastMs = writes.reduce((latest, { completedMs }) => Math.max(latest, completedMs), 0);
  const seconds = (lastMs - firstMs) / 1_000;
  const reads = findReads(calls);
  return {
    seconds,
    tenantsPerSecond: tenants / seconds,
    mutatingCalls: writes.length,
    oddities: countByKind([...writes.filter(({ code }) => code >= 300), ...reads]),
    refusedCalls: writes.filter(({ code }) => code >= 300).length,
    readsAfterSync: reads.length,
    ...usage,
  };
}

/**
 * Reads of a process that has its caches: every `get`, and every `list` after the first that succeeded of its kind and
 * selection, but for its pages. (A controller begins when its own kinds are complete, so writes may come before another
 * kind's first list.)
 */
export function findReads(calls: readonly AuditedCall[]): readonly AuditedCall[] {
  const listed = new Set<string>();
  return calls.filter(({ verb, uri, code }) => {
    if (verb !== 'list') return verb === 'get';
    if (/[?&]continue=/.test(uri)) return false;
    const again = listed.has(uri);
    if (code === 200) listed.add(uri);
    return again;
  });
}

/** What the calls were, each kind once with its count. */
export function countByKind(calls: readonly AuditedCall[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { verb, resource, subresource, code } of calls) {
    const kind = `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`} ${code}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => `${count} x ${kind}`);
}
