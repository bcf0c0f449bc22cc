import { GROUP } from '../../model/group.ts';

/** How long things take. Each is stretched or shortened at random by up to {@link SimulatorOptions.jitter}. */
export type Timings = {
  /** A DataVolume filled from a URL or registry. */
  readonly importMs: number;
  /** A DataVolume cloned from another volume. */
  readonly cloneMs: number;
  /** Between two writes of a DataVolume's progress. */
  readonly progressIntervalMs: number;
  /** VirtualMachineInstance: Scheduling to Scheduled. */
  readonly scheduleMs: number;
  /** Scheduled to Running: the launcher starts the machine. */
  readonly startMs: number;
  /** From Running until the guest answers RDP. */
  readonly bootMs: number;
  /** The same under the fault `slow-boot`. */
  readonly slowBootMs: number;
  /** A guest that was told to shut down. */
  readonly shutdownMs: number;
  /** A volume that grows. */
  readonly expandMs: number;
  /** Unit of the back-off after a failed start: times the square of the failures. KubeVirt's is 10 s. */
  readonly startBackoffMs: number;
  readonly maxStartBackoffMs: number;
};

export type SimulatorOptions = {
  readonly timings?: Partial<Timings>;
  /** 0 to 1; default 0.2. */
  readonly jitter?: number;
  /** IPv4 range inside 127.0.0.0/8, one address a running desktop. */
  readonly desktopAddresses?: string;
  /** IPv4 range inside 127.0.0.0/8, one address a LoadBalancer Service. */
  readonly loadBalancerAddresses?: string;
  /**
   * Where desktops listen. Default 3389, as any guest. Another port only where 3389 cannot be bound: whoever dials a desktop directly has
   * to be told; a load balancer maps its target port 3389 by itself.
   */
  readonly rdpPort?: number;
  readonly nodes?: readonly string[];
  /** StorageClasses to install; the first is the default class. */
  readonly storageClasses?: readonly string[];
  /** Workers of each controller. */
  readonly workers?: number;
  /** How long a watch lives before it is renewed. Default 24. */
  readonly watchSeconds?: number;
};

export type Settings = Required<Omit<SimulatorOptions, 'timings'>> & { readonly timings: Timings };

/** About what a small cluster with fast storage and a warm image takes. */
export const DEFAULT_TIMINGS: Timings = {
  importMs: 6_000,
  cloneMs: 3_000,
  progressIntervalMs: 1_000,
  scheduleMs: 500,
  startMs: 1_000,
  bootMs: 3_000,
  slowBootMs: 90_000,
  shutdownMs: 1_000,
  expandMs: 500,
  startBackoffMs: 10_000,
  maxStartBackoffMs: 300_000,
};

/** For tests that wait: everything within a second. */
export const QUICK_TIMINGS: Timings = {
  importMs: 150,
  cloneMs: 150,
  progressIntervalMs: 60,
  scheduleMs: 30,
  startMs: 50,
  bootMs: 100,
  slowBootMs: 5_000,
  shutdownMs: 50,
  expandMs: 50,
  startBackoffMs: 500,
  maxStartBackoffMs: 5_000,
};

/** Fills in defaults. Throws RangeError, naming the option, on a value out of bounds. */
export function parseOptions(options: SimulatorOptions): Settings {
  const timings = { ...DEFAULT_TIMINGS, ...options.timings };
  for (const [name, ms] of Object.entries(timings)) {
    if (!Number.isFinite(ms) || ms < 0) throw new RangeError(`timings.${name}: ${ms} is not a duration in ms`);
  }
  const settings: Settings = {
    jitter: 0.2,
    desktopAddresses: '127.64.0.0/12',
    loadBalancerAddresses: '127.96.0.0/12',
    rdpPort: 3389,
    nodes: ['node-1', 'node-2', 'node-3'],
    storageClasses: ['standard', 'fast'],
    workers: 16,
    watchSeconds: 24,
    ...options,
    timings,
  };
  if (!(settings.jitter >= 0 && settings.jitter <= 1)) throw new RangeError(`jitter: ${settings.jitter} is not 0 to 1`);
  if (!Number.isInteger(settings.rdpPort) || settings.rdpPort < 1 || settings.rdpPort > 65_535) {
    throw new RangeError(`rdpPort: ${settings.rdpPort} is not a port`);
  }
  if (settings.nodes.length === 0) throw new RangeError('nodes: at least one is needed');
  return settings;
}

/** On a VirtualMachine, its template or a VirtualMachineInstance: what goes wrong. */
export const ANNOTATION_FAULT = `simulator.${GROUP}/fault`;
/** On a VirtualMachine or VirtualMachineInstance: what the guest does next; taken away once it did. */
export const ANNOTATION_GUEST = `simulator.${GROUP}/guest`;

/**
 * - `slow-boot`: the guest takes {@link Timings.slowBootMs} to answer.
 * - `unschedulable`: no node fits; stays in Scheduling.
 * - `crash-loop`: fails before it ever runs.
 * - `never-answers`, `garbage`, `refuses`: runs; its RDP port accepts and stays silent, answers no RDP, answers a failure.
 * - `no-listener`: runs; nothing listens.
 */
export const FAULTS = [
  'slow-boot',
  'unschedulable',
  'crash-loop',
  'never-answers',
  'garbage',
  'refuses',
  'no-listener',
] as const;
export type Fault = (typeof FAULTS)[number];

export type GuestAction = 'shutdown' | 'crash';

type Annotated = {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> | undefined };
};

/** The first known fault on one of the objects; an unknown value counts as none. */
export function parseFault(...objects: readonly (Annotated | undefined)[]): Fault | undefined {
  for (const object of objects) {
    const value = object?.metadata.annotations?.[ANNOTATION_FAULT];
    const fault = FAULTS.find((known) => known === value);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

export function parseGuestAction(object: Annotated | undefined): GuestAction | undefined {
  const value = object?.metadata.annotations?.[ANNOTATION_GUEST];
  return value === 'shutdown' || value === 'crash' ? value : undefined;
}
