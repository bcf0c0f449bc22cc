import type { Breathe } from './breath.ts';
import { type Finding, listFindings, listOutside } from './findings.ts';
import { judgeEnvironment } from './judge.ts';
import { buildFleet } from './model.ts';
import { type FleetTree, listEnvironments } from './tree.ts';

/** What `sublet lint` says of a fleet. */
export type LintReport = {
  readonly environments: readonly string[];
  readonly folders: number;
  readonly resources: number;
  readonly errors: number;
  readonly warnings: number;
  readonly findings: readonly Finding[];
};

export type LintSettings = {
  readonly only: string | undefined;
  readonly allowedGitHosts: readonly string[];
  readonly breathe: Breathe;
};

/** Judges every environment, or the one that is named; one that is broken hides no other. */
export async function lintFleet(
  tree: FleetTree,
  { only, allowedGitHosts, breathe }: LintSettings,
): Promise<LintReport> {
  const environments = listEnvironments(tree).filter((name) => only === undefined || name === only);
  const findings: Finding[] = only === undefined ? [...listOutside(tree)] : [];
  let folders = 0;
  let resources = 0;
  for (const name of environments) {
    const judged = await judgeEnvironment(tree, name, { allowedGitHosts, breathe });
    const fleet = buildFleet(judged);
    folders += judged.folders.size;
    resources += fleet.resources.size;
    findings.push(...listFindings(tree, judged, fleet));
  }
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  return { environments, folders, resources, errors, warnings: findings.length - errors, findings };
}
