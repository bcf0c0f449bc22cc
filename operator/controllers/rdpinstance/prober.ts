import type { Clock, Random, Timer } from '../../../kube/clock.ts';
import type { Dial } from '../../context.ts';
import { type ProbeResult, type ProbeTarget, probeDesktop } from './probe.ts';

export type ProberSettings = {
  readonly timeoutMs: number;
  /** Between two probes of a desktop that answered once. */
  readonly intervalMs: number;
  /** Failures in a row that make a desktop which answered `Failing`. */
  readonly failureThreshold: number;
};

export type ProbeRequest = ProbeTarget & {
  /** Identity of the power epoch: another one starts from nothing. */
  readonly vmiUID: string;
  /** That this epoch answered before this process looked; it is then probed as one that answered. */
  readonly answeredBefore: boolean;
  /** That it was `Failing` before this process looked, and why. */
  readonly failedBefore: string | undefined;
};

/**
 * - `Probing`: no answer yet in this epoch.
 * - `Answering`: it answered, and has not failed the threshold since.
 * - `Failing`: it answered, then failed at least the threshold in a row.
 */
export type ProbeState =
  | { readonly state: 'Probing'; readonly why: string | undefined }
  /** `answeredAtMs` is the first answer that this process saw, absent before it saw one. */
  | { readonly state: 'Answering'; readonly answeredAtMs: number | undefined }
  | { readonly state: 'Failing'; readonly why: string };

/**
 * Probes desktops beside the reconciler, so that no worker waits for a guest. Keeps what it saw in memory only: the one
 * fact that outlives the process, the first answer, is in status. One probe a desktop at a time.
 */
export type Prober = {
  /** Keeps probing `key` at this target and says what is known now. `onChange` is told of the key whenever the answer would differ. */
  observe(key: string, request: ProbeRequest): ProbeState;
  /** Stops probing the key. */
  forget(key: string): void;
  /** Stops all probing. */
  stop(): void;
};

type Entry = {
  readonly request: ProbeRequest;
  readonly startedMs: number;
  readonly abort: AbortController;
  timer: Timer | undefined;
  failures: number;
  answered: boolean;
  answeredAtMs: number | undefined;
  why: string | undefined;
};

export function createProber(
  deps: { readonly dial: Dial; readonly clock: Clock; readonly random: Random },
  settings: ProberSettings,
  onChange: (key: string) => void,
): Prober {
  const entries = new Map<string, Entry>();

  const probe = async (key: string, entry: Entry): Promise<void> => {
    const { timeoutMs } = settings;
    const result = await probeDesktop(deps, entry.request, { timeoutMs, signal: entry.abort.signal });
    if (entries.get(key) !== entry) return;
    const before = describe(entry, settings).state;
    record(entry, result, deps.clock.now());
    const after = describe(entry, settings).state;
    entry.timer = deps.clock.setTimeout(() => void probe(key, entry), computeDelayMs(entry, settings, deps));
    if (after !== before) onChange(key);
  };

  const forget = (key: string): void => {
    const entry = entries.get(key);
    if (entry === undefined) return;
    entries.delete(key);
    deps.clock.clearTimeout(entry.timer);
    entry.abort.abort();
  };

  return {
    observe(key, request) {
      const known = entries.get(key);
      // That it answered before was known from a status that is lost: it has to answer anew.
      const isForgotten = known?.answered === true && known.answeredAtMs === undefined && !request.answeredBefore;
      if (known !== undefined && !isForgotten && isSameTarget(known.request, request)) return describe(known, settings);
      forget(key);
      const entry: Entry = {
        request,
        startedMs: deps.clock.monotonic(),
        abort: new AbortController(),
        timer: undefined,
        failures: request.failedBefore === undefined ? 0 : settings.failureThreshold,
        answered: request.answeredBefore,
        answeredAtMs: undefined,
        why: request.failedBefore,
      };
      entries.set(key, entry);
      const well = request.answeredBefore && request.failedBefore === undefined;
      const delayMs = well ? deps.random.next() * settings.intervalMs : 0;
      entry.timer = deps.clock.setTimeout(() => void probe(key, entry), delayMs);
      return describe(entry, settings);
    },
    forget,
    stop() {
      for (const key of [...entries.keys()]) forget(key);
    },
  };
}

function isSameTarget(a: ProbeRequest, b: ProbeRequest): boolean {
  return a.vmiUID === b.vmiUID && a.host === b.host && a.port === b.port;
}

function record(entry: Entry, result: ProbeResult, nowMs: number): void {
  if (result.answered) {
    entry.failures = 0;
    entry.why = undefined;
    entry.answered = true;
    entry.answeredAtMs ??= nowMs;
    return;
  }
  entry.failures += 1;
  entry.why = result.why;
}

function describe(entry: Entry, settings: ProberSettings): ProbeState {
  if (!entry.answered) return { state: 'Probing', why: entry.why };
  if (entry.failures >= settings.failureThreshold) {
    return { state: 'Failing', why: entry.why ?? 'no answer' };
  }
  return { state: 'Answering', answeredAtMs: entry.answeredAtMs };
}

/**
 * While it boots a desktop is asked often, so that Ready follows the guest at once, and less often the longer it takes.
 * Once it answered, at the interval, spread by a tenth so that desktops do not come in step; after a failure sooner, so
 * that a fault is told within an interval.
 */
function computeDelayMs(
  entry: Entry,
  settings: ProberSettings,
  deps: { readonly clock: Clock; readonly random: Random },
): number {
  if (entry.answered) {
    const spread = 0.95 + deps.random.next() * 0.1;
    const failing = entry.failures > 0 && entry.failures < settings.failureThreshold;
    return (failing ? settings.intervalMs / settings.failureThreshold : settings.intervalMs) * spread;
  }
  const bootingMs = deps.clock.monotonic() - entry.startedMs;
  const step = BOOT_STEPS.find(({ untilMs }) => bootingMs < untilMs);
  return step?.delayMs ?? SLOWEST_BOOT_DELAY_MS;
}

const BOOT_STEPS = [
  { untilMs: 5_000, delayMs: 50 },
  { untilMs: 60_000, delayMs: 200 },
  { untilMs: 300_000, delayMs: 1_000 },
] as const;
const SLOWEST_BOOT_DELAY_MS = 5_000;
