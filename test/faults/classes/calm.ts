import type { LinkCall, LinkHooks } from '../../../simulator/link.ts';
import { type RunResult, tellScenario } from '../run.ts';
import { findScenario } from '../scenarios/index.ts';

/** A scenario as it goes when nothing goes wrong, and what the operator sent and was shown on the way. */
export type Calm = RunResult & {
  /** The operator's writes from the first step on, in order: `apply services t-bob/rdp-desk`. */
  readonly writes: readonly string[];
  /** Verbs of all its calls from the first step on. */
  readonly verbs: ReadonlySet<string>;
  /** Kinds of which it was shown a change from the first step on. */
  readonly kinds: readonly string[];
  /** Watch lines that the operator was shown from the first step on: the path that was watched, and the type. */
  readonly lines: readonly { readonly kind: string; readonly type: string; readonly key: string }[];
};

const known = new Map<string, Promise<Calm>>();

/** Told once a process and scenario. */
export function tellCalmly(scenario: string, seed: number): Promise<Calm> {
  const name = `${scenario}/${seed}`;
  const found = known.get(name) ?? observe(scenario, seed);
  known.set(name, found);
  return found;
}

async function observe(scenario: string, seed: number): Promise<Calm> {
  const writes: string[] = [];
  const verbs = new Set<string>();
  const lines: { readonly kind: string; readonly type: string; readonly key: string }[] = [];
  const hooks: LinkHooks = {
    onCall: (call) => {
      if (call.process.startsWith('operator/')) verbs.add(call.verb);
      if (isOperatorWrite(call)) writes.push(/\/status(\?|$)/.test(call.path) ? `${call.verb} status` : call.call);
      return undefined;
    },
    onLine: ({ process, path, text }) => {
      if (!process.startsWith('operator/')) return undefined;
      const line = parseLine(text);
      if (line.type !== 'BOOKMARK') lines.push({ kind: kindOfPath(path), ...line });
      return undefined;
    },
  };
  const result = await tellScenario(findScenario(scenario), seed, {
    arm: (run) => run.setHooks(hooks),
    clear: (run) => run.setHooks({}),
  });
  return { ...result, writes, verbs, kinds: [...new Set(lines.map(({ kind }) => kind))], lines };
}

export function isOperatorWrite(call: LinkCall): boolean {
  return call.isWrite && call.process.startsWith('operator/');
}

/** The plural that a watch or list is of, with its group: `/apis/sublet.dev/v1alpha1/tenants?watch=true` is `tenants.sublet.dev`. */
export function kindOfPath(path: string): string {
  const parts = path.split('?')[0]?.split('/') ?? [];
  const grouped = parts[1] === 'apis';
  const group = grouped ? `.${parts[2]}` : '';
  const rest = parts.slice(grouped ? 4 : 3);
  const plural = rest[0] === 'namespaces' && rest.length > 2 ? rest[2] : rest[0];
  const name = `${plural}${group}`;
  // Two caches look at ConfigMaps, for different names.
  return name === 'configmaps' ? `configmaps/${path.includes('sublet-breaker') ? 'breaker' : 'grants'}` : name;
}

export function parseLine(text: string): { readonly type: string; readonly key: string } {
  const { type, object } = JSON.parse(text) as {
    readonly type: string;
    readonly object: { readonly metadata?: { readonly namespace?: string; readonly name?: string } };
  };
  const { namespace, name = '' } = object.metadata ?? {};
  return { type, key: namespace === undefined ? name : `${namespace}/${name}` };
}
