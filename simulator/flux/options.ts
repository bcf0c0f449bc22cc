/** Settings of Flux's two controllers that matter here; each default is Flux's own, or its lockdown where that is advised. */
export type FluxOptions = {
  /** Installs the simulator's definitions first. Default true; false where another part of the process brings them. */
  readonly installDefinitions?: boolean;
  /** What a Kustomization without `serviceAccountName` acts as; `null`: the simulator itself. Default `default`. */
  readonly defaultServiceAccount?: string | null;
  /** Refuses a `sourceRef` into another namespace. Default true. */
  readonly noCrossNamespaceRefs?: boolean;
  /** When a Kustomization looks again for a dependency, or for an artifact, that is not there. Default 30 000. */
  readonly requeueDependencyMs?: number;
  /** Intervals vary by this share in both directions, so that objects do not fall into step. Default 0.05. */
  readonly intervalJitter?: number;
  /** Workers of each controller. Default 4. */
  readonly workers?: number;
  /** How long a watch lives before it is renewed. Default 24. */
  readonly watchSeconds?: number;
};

export type FluxSettings = Required<FluxOptions>;

/** Fills in defaults. Throws RangeError, naming the option, on a value out of bounds. */
export function parseOptions(options: FluxOptions): FluxSettings {
  const settings: FluxSettings = {
    installDefinitions: true,
    defaultServiceAccount: 'default',
    noCrossNamespaceRefs: true,
    requeueDependencyMs: 30_000,
    intervalJitter: 0.05,
    workers: 4,
    watchSeconds: 24,
    ...options,
  };
  const { requeueDependencyMs, intervalJitter, workers } = settings;
  if (!(requeueDependencyMs > 0)) throw new RangeError(`requeueDependencyMs: ${requeueDependencyMs} is not above 0`);
  if (!(intervalJitter >= 0 && intervalJitter < 1))
    throw new RangeError(`intervalJitter: ${intervalJitter} is not 0 to 1`);
  if (!Number.isInteger(workers) || workers < 1) throw new RangeError(`workers: ${workers} is not a positive number`);
  return settings;
}
