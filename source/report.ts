import type { GitRepository } from './externalartifact.ts';
import type { AcceptedArtifact } from './plan.ts';
import type { Pass, PublisherDeps } from './publisher.ts';

/** Metrics and the log line of a pass. */
export function report(deps: PublisherDeps, pass: Pass, writes: number, startMs: number): void {
  const { metrics } = deps;
  const states = [...pass.plan.states.values()];
  const isLost = (name: string, one: AcceptedArtifact): boolean =>
    one.digest !== undefined && !one.isStored && pass.plan.states.get(name)?.state !== 'published';
  if (pass.result === 'published') {
    metrics.foldersPublished.set(states.filter((state) => state.state === 'published').length);
    metrics.foldersHeld.set(states.filter((state) => state.state === 'held').length);
  }
  metrics.revisionHeld.set(pass.result === 'published' ? 0 : 1);
  metrics.archivesLost.set([...pass.accepted].filter(([name, one]) => isLost(name, one)).length);
  metrics.strays.set(pass.warnings.filter((warning) => warning.reason === 'Stray').length);
  metrics.archivesRebuilt.inc(pass.rebuilt);
  const durationMs = deps.clock.now() - startMs;
  metrics.passSeconds.observe(durationMs / 1_000);
  metrics.countRevision(pass.result === 'published' && writes === 0 ? 'unchanged' : pass.result);
  if (writes > 0 || pass.parsed > 0) {
    deps.log.info(
      { revision: pass.revision, result: pass.result, folders: states.length, parsed: pass.parsed, writes, durationMs },
      'published the fleet',
    );
  }
}

/**
 * Says once what needs a person; returns what was told. An Event is a write, so it goes with the pass that writes the condition and is
 * not repeated by a restart.
 */
export function tell(deps: PublisherDeps, repository: GitRepository, pass: Pass, writes: number, told: string): string {
  const text = pass.warnings.map((warning) => `${warning.reason}: ${warning.message}`).join('\n');
  if (text === told) return told;
  for (const { reason, message } of pass.warnings.slice(0, MOST_WARNINGS)) {
    deps.log.warn({ revision: pass.revision, reason, detail: message }, 'the fleet needs a person');
    if (writes > 0 && pass.result !== 'published') deps.warn(repository, reason, message);
  }
  return text;
}

const MOST_WARNINGS = 20;
