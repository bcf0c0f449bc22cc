import type { Random } from '../../kube/clock.ts';
import type { FluxSettings } from './options.ts';

/** The interval, longer or shorter by up to `intervalJitter` of it. */
export function jittered(
  deps: { readonly random: Random; readonly settings: FluxSettings },
  intervalMs: number,
): number {
  return intervalMs * (1 + deps.settings.intervalJitter * (2 * deps.random.next() - 1));
}
