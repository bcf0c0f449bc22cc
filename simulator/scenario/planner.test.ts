import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { createAgenda } from './agenda.ts';
import { filePath } from './fleet.ts';
import { createPlanner, type ScenarioOptions } from './planner.ts';
import { type Action, FAULT_KINDS } from './steps.ts';

const YEAR: ScenarioOptions = {
  seed: 1,
  days: 365,
  tenants: 30,
  desktops: 3,
  faults: FAULT_KINDS,
  deedsADay: 4,
  faultsADay: 2,
  startMs: Date.UTC(2026, 0, 1),
};

function planAll(options: Partial<ScenarioOptions> = {}): readonly Action[] {
  const planner = createPlanner({ ...YEAR, ...options });
  const actions: Action[] = [];
  for (let action = planner.next(); action !== undefined; action = planner.next()) actions.push(action);
  return actions;
}

describe('the planner', () => {
  it('tells the same story to the same seed, in order of time, and another to another', () => {
    const actions = planAll();
    expect(planAll()).toEqual(actions);
    expect(planAll({ seed: 2 })).not.toEqual(actions);
    expect(actions.every(({ atMs }, at) => atMs >= (actions[at - 1]?.atMs ?? 0))).toBe(true);
    expect(actions.at(-1)?.atMs).toBeLessThanOrEqual(365 * 86_400_000);
  });

  it('has everything that people do and everything that goes wrong', () => {
    const actions = planAll();
    const told = actions.map(({ what }) => what).join('\n');
    for (const deed of [
      /order tenant \w+--\w+ /,
      /switch desktop .* off/,
      /switch desktop .* on/,
      /restart desktop/,
      /shuts itself down/,
      /to plan large/,
      /remove desktop/,
      /order desktop .* again/,
      /suspend .* for Payment/,
      /resume/,
      /holds/,
      /no longer holds/,
      /remove tenant/,
      /tenant .* comes back/,
      /break tenants/,
      /mend tenants/,
      /a plan that nobody sells/,
      /an image that is not there/,
      /more than its plan has/,
      /gives up/,
      /with kubectl/,
    ]) {
      expect(told).toMatch(deed);
    }
    const steps = new Set<string>(actions.map(({ step }) => step.type));
    for (const type of [
      'kill',
      'api-errors',
      'api-latency',
      'api-down',
      'compact',
      'break-watches',
      'drop-lines',
      'partition',
    ]) {
      expect(steps).toContain(type);
    }
    for (const type of [
      'repository-unreachable',
      'force-push',
      'empty-repository',
      'restore-repository',
      'lose-node',
    ]) {
      expect(steps).toContain(type);
    }
  });

  it('lets nothing go wrong when told so', () => {
    const steps = new Set(planAll({ faults: [] }).map(({ step }) => step.type));
    expect([...steps].sort()).toEqual([
      'apply',
      'checkpoint',
      'commit',
      'confirm',
      'delete',
      'guest',
      'restore-repository',
    ]);
  });

  it('writes files that can be read, but where somebody makes a mistake', () => {
    for (const { what, step } of planAll()) {
      if (step.type !== 'commit') continue;
      for (const [path, text] of Object.entries(step.changes)) {
        expect(path).toMatch(/^tenants\/production\/(sublet-root|t-[a-z0-9-]+)\/[a-z0-9-]+\.yaml$/);
        if (text === null || what.startsWith('break')) continue;
        const [document] = parseAllDocuments(text);
        expect(document?.errors, text).toEqual([]);
      }
    }
  });

  it('says what has to hold of each tenant and desktop, and of nothing twice', () => {
    const planner = createPlanner(YEAR);
    for (let action = planner.next(); action !== undefined; action = planner.next());
    const expectations = planner.expectations();
    const names = expectations.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`);
    expect(new Set(names).size).toBe(names.length);
    expect(expectations.filter(({ kind }) => kind === 'Tenant').length).toBe(30);
    const ready = expectations.filter(({ kind, expect: state }) => kind === 'RDPInstance' && state === 'Ready');
    expect(ready.length).toBeGreaterThan(30);
    for (const { namespace, name, kind, expect: state } of expectations) {
      if (state === 'Gone') expect(planner.files().has(filePath(kind, namespace, name)), `${kind} ${name}`).toBe(false);
    }
  });
});

describe('the agenda', () => {
  it('gives what is first, and of one time what was added first', () => {
    const agenda = createAgenda<string>();
    agenda.add(5, 'c');
    agenda.add(1, 'a');
    agenda.add(5, 'd');
    agenda.add(1, 'b');
    const taken = [agenda.take(), agenda.take()];
    agenda.add(2, 'between');
    taken.push(agenda.take(), agenda.take(), agenda.take(), agenda.take());
    expect(taken.map((entry) => entry?.thing)).toEqual(['a', 'b', 'between', 'c', 'd', undefined]);
  });
});
