import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { NAMESPACES, SECRETS, SERVICES } from '../../../kube/builtin.ts';
import type { Client } from '../../../kube/client.ts';
import { RequestError } from '../../../kube/errors.ts';
import { DATAVOLUMES, VIRTUALMACHINEINSTANCES, VIRTUALMACHINES } from '../../../kubevirt/index.ts';
import { describeWithOwnCluster } from '../../../test/support/cluster.ts';
import {
  child,
  type DesktopWorld,
  POLL,
  type RunningOperator,
  startDesktopWorld,
} from '../../../test/support/desktops.ts';

/**
 * - `before`: the process dies before its write is sent.
 * - `unanswered`: the write is committed, the process dies without the answer.
 */
type Crash = 'before' | 'unanswered';

/** More than a desktop's life needs; a crash that is never reached ends the sweep. */
const MOST_WRITES = 120;

/** Every n-th write; SUBLET_CRASH_STEP=1 sweeps them all, which takes some minutes. */
const STEP = Number(process.env.SUBLET_CRASH_STEP ?? 6);

/**
 * A write of a desktop's life, from the order to the sweep, is the last one of its operator; the next operator
 * finishes the work. One VM and one disk an identity, whatever happens.
 */
describeWithOwnCluster('an operator that dies at any write', { flux: true, audit: true }, (cluster) => {
  let world: DesktopWorld;
  let operator: RunningOperator | undefined;

  beforeAll(async () => {
    world = await startDesktopWorld(cluster());
    operator = await world.startOperator();
    await waitForNamespace();
  });

  afterEach(async () => {
    await operator?.stop();
    operator = undefined;
  });

  afterAll(() => world?.stop());

  for (const [first, crash] of [
    [1, 'before'],
    [Math.ceil(STEP / 2), 'unanswered'],
  ] as const) {
    it(`${crash}: order, Ready, stop, start, removal and sweep come out the same`, async () => {
      let crashes = 0;
      for (let at = first; at <= MOST_WRITES; at += STEP) {
        const name = `${crash[0]}${at}`;
        if (!(await liveOnce(name, at, crash))) break;
        crashes += 1;
        expect(await createsOf(name)).toEqual({ virtualmachines: 1, datavolumes: 1, secrets: 1 });
      }
      expect(crashes * STEP).toBeGreaterThan(15);
      expect(crashes * STEP).toBeLessThan(MOST_WRITES);
    });
  }

  /** Whether the crash came to pass. */
  async function liveOnce(name: string, at: number, crash: Crash): Promise<boolean> {
    const dying = createDyingClient(world.used, at, crash);
    operator = await world.startOperator({}, dying.client);
    const revive = dying.died.then(async () => {
      await operator?.stop();
      operator = await world.startOperator();
    });
    await world.order(name, { deletion: { policy: 'Delete', graceDays: 0 } });
    await world.waitReady(name);
    await world.patch(name, { power: 'Stopped' });
    await expect.poll(() => world.exists(VIRTUALMACHINEINSTANCES, child(name)), POLL).toBe(false);
    await world.patch(name, { power: 'Running' });
    await world.waitReady(name);
    await world.remove(name);
    await expect.poll(() => remainsOf(name), POLL).toEqual([]);
    await expect.poll(() => world.grantOf(name), POLL).toBeUndefined();
    if (dying.isAlive()) {
      await operator.stop();
      return false;
    }
    await revive;
    await operator?.stop();
    return true;
  }

  async function remainsOf(name: string): Promise<readonly string[]> {
    const kinds = [VIRTUALMACHINES, VIRTUALMACHINEINSTANCES, DATAVOLUMES, SECRETS, SERVICES];
    const found = await Promise.all(
      kinds.map(async (kind) => ((await world.exists(kind, child(name))) ? [kind.kind] : [])),
    );
    return found.flat();
  }

  /** Accepted creates by kind, from the audit log: what server-side apply creates counts too. */
  async function createsOf(name: string): Promise<Readonly<Record<string, number>>> {
    const { events } = await cluster().auditEvents();
    const counts: Record<string, number> = { virtualmachines: 0, datavolumes: 0, secrets: 0 };
    for (const { verb, objectRef, responseStatus } of events) {
      const created = responseStatus?.code === 201 && (verb === 'create' || verb === 'patch');
      const resource = objectRef?.resource ?? '';
      const named = objectRef?.name === `rdp-${name}`;
      if (created && named && resource in counts) counts[resource] = (counts[resource] ?? 0) + 1;
    }
    return counts;
  }

  async function waitForNamespace(): Promise<void> {
    await vi.waitFor(async () => expect(await world.exists(NAMESPACES, { name: world.namespace })).toBe(true), POLL);
  }
});

/** Passes everything on until its n-th write; from then on nothing gets through, as from a process that is gone. */
function createDyingClient(client: Client, at: number, crash: Crash) {
  const { promise: died, resolve } = Promise.withResolvers<void>();
  let writes = 0;
  let dead = false;
  const gone = () => new RequestError('reset', 'this process is gone');
  const write = async <R>(call: () => Promise<R>): Promise<R> => {
    if (dead) throw gone();
    writes += 1;
    if (writes < at) return call();
    dead = true;
    if (crash === 'unanswered') await call().catch(() => undefined);
    resolve();
    throw gone();
  };
  const dying: Client = {
    ...client,
    create: (...args) => write(() => client.create(...args)),
    update: (...args) => write(() => client.update(...args)),
    apply: (...args) => write(() => client.apply(...args)),
    patch: (...args) => write(() => client.patch(...args)),
    delete: (...args) => write(() => client.delete(...args)),
  };
  return { client: dying, died, isAlive: () => !dead };
}
