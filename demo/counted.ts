import type { Access } from '../cli/embedded/access.ts';
import { RESOURCEQUOTAS } from '../kube/builtin.ts';
import { realClock, sleep } from '../kube/clock.ts';
import type { KubeObject } from '../kube/object.ts';
import { SYSTEM_NAMESPACE } from '../model/names.ts';

const KEY = { namespace: SYSTEM_NAMESPACE, name: 'sublet-demo-counts' } as const;
const NAMES = ['tenants', 'plans', 'quotas', 'rdpinstances'].map((plural) => `count/${plural}.sublet.dev`);
const DEADLINE_MS = 300_000;
const POLL_MS = 1_000;

type Quota = KubeObject & { readonly status?: { readonly used?: Readonly<Record<string, string>> } };

/**
 * Waits until Kubernetes counts objects of kinds that were defined a moment ago. It learns of them within 30 s; a quota that it saw before that it counts completely
 * only after five minutes, or when its limits change, which is what is done here.
 */
export async function untilCounted({ admin }: Access): Promise<void> {
  const deadline = realClock.monotonic() + DEADLINE_MS;
  try {
    for (let limit = 1_000; realClock.monotonic() < deadline; limit += 1) {
      const hard = Object.fromEntries(NAMES.map((name) => [name, String(limit)]));
      const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: KEY, spec: { hard } };
      await admin.apply(RESOURCEQUOTAS, quota, { fieldManager: 'sublet-demo', force: true });
      await sleep(realClock, POLL_MS);
      const { used = {} } = (await admin.get<Quota>(RESOURCEQUOTAS, KEY)).status ?? {};
      if (NAMES.every((name) => used[name] !== undefined)) return;
    }
    throw new Error(
      `the cluster does not count Sublet's objects in ${DEADLINE_MS / 1_000} s: does its controller manager run?`,
    );
  } finally {
    await admin.delete(RESOURCEQUOTAS, KEY).catch(() => {});
  }
}
