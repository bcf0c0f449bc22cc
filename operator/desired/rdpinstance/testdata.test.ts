import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseDocument } from 'yaml';
import { RDPInstance } from '../../../crds/v1alpha1/rdpinstance.ts';
import { TerminalError } from '../../../kube/errors.ts';
import { loadUpstreamValidators } from '../../../kubevirt/validate.ts';
import { API_VERSION } from '../../../model/group.ts';
import { renderAmounts } from '../../../model/limits.ts';
import { desktopChildName } from '../../../model/names.ts';
import { resolvePlan } from '../../../model/planlookup.ts';
import { observeVm, observeVmi } from '../../controllers/rdpinstance/machine.ts';
import type { DesktopObservation } from '../../controllers/rdpinstance/observation.ts';
import { computePower } from '../../controllers/rdpinstance/power.ts';
import { computeRestartRequired } from '../../controllers/rdpinstance/restart.ts';
import { computeAsk, validateDesktop } from '../../controllers/rdpinstance/validate.ts';
import { buildDesktop } from './build.ts';
import { buildSecret } from './secret.ts';

/**
 * One behaviour a file: a desktop and what differs around it -> what is built, or why not. `show` names what a case is about:
 * kinds, Power, Ask, RestartRequired. SUBLET_UPDATE_TESTDATA=1 writes what comes out into `expect`, to be read before it is committed.
 */
const FOLDER = path.join(import.meta.dirname, 'testdata');
const SETTINGS = { systemNamespace: 'sublet-system', vcpusPerCpu: 4 };
const NAMESPACE = 't-acme--bob';

type Case = {
  readonly about: string;
  readonly desktop: { readonly name: string; readonly spec: object; readonly epoch?: object };
  readonly show: readonly string[];
  readonly expect?: unknown;
};

type Rendered = { readonly expect: unknown; readonly objects: readonly { readonly kind: string }[] };

const files = readdirSync(FOLDER).filter((file) => file !== 'surroundings.yaml');
const defaults = parse(readFileSync(path.join(FOLDER, 'surroundings.yaml'), 'utf8'));
const schemas = process.env.SUBLET_UPSTREAM_SCHEMAS;
const upstream = schemas === undefined ? undefined : await loadUpstreamValidators(schemas);

describe('a desktop becomes its children', () => {
  test('at least 25 behaviours are described', () => {
    expect(files.length).toBeGreaterThanOrEqual(25);
  });

  test.each(files)('%s', (file) => {
    const place = path.join(FOLDER, file);
    const text = readFileSync(place, 'utf8');
    const given: Case = parse(text);
    const rendered = render(given);
    if (process.env.SUBLET_UPDATE_TESTDATA === '1') {
      const document = parseDocument(text);
      document.set('expect', rendered.expect);
      writeFileSync(place, document.toString({ lineWidth: 0 }));
      return;
    }
    expect(rendered.expect).toEqual(given.expect);
    expect(render(given)).toEqual(rendered);
    expect(describeLeaks(rendered)).toEqual([]);
  });

  test.skipIf(upstream === undefined)('every VM and DataVolume is valid upstream (SUBLET_UPSTREAM_SCHEMAS)', () => {
    let judged = 0;
    for (const object of files.flatMap(
      (file) => render(parse(readFileSync(path.join(FOLDER, file), 'utf8'))).objects,
    )) {
      if (object.kind === 'VirtualMachine') expect(upstream?.validateVirtualMachine(object)).toEqual([]);
      if (object.kind === 'DataVolume') expect(upstream?.validateDataVolume(object)).toEqual([]);
      judged += 1;
    }
    expect(judged).toBeGreaterThan(25);
  });
});

describe('first boot', () => {
  const installed = spawnSync('cloud-init', ['--version']).status === 0;
  test.skipIf(!installed)('cloud-init accepts the user-data of every Linux desktop (needs Debian cloud-init)', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'sublet-cloudinit-'));
    try {
      for (const [index, text] of [...new Set(files.flatMap(linuxUserData))].entries()) {
        const file = path.join(folder, `${index}.yaml`);
        writeFileSync(file, text);
        const said = execFileSync('cloud-init', ['schema', '--config-file', file], { encoding: 'utf8' });
        expect(said).toMatch(/Valid (cloud-config|schema)/);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function render(given: Case): Rendered {
  const observed = observe(given);
  try {
    const valid = validateDesktop(observed);
    const power = computePower({
      asked: observed.desktop.spec.power,
      suspended: observed.suspensions.length > 0,
      orderedAt: observed.desktop.metadata.creationTimestamp,
      restartedAt: observed.desktop.spec.restartedAt,
      epoch: observed.desktop.status?.epoch,
      vm: observeVm(observed.children.virtualMachine),
      vmi: observeVmi(observed.children.instance),
      now: defaults.now,
    });
    const { runStrategy, endedEpoch, guestDownAt } = power;
    const built = buildDesktop({ ...valid.input, power: { runStrategy, endedEpoch, guestDownAt } }, SETTINGS);
    const secret = observed.children.secret === undefined ? [buildSecret(valid.input, defaults.password)] : [];
    const objects = [built.virtualMachine, built.disk, ...secret, ...built.stateless];
    const facts = {
      Power: plain(power),
      Ask: renderAmounts(computeAsk(valid, observed)),
      RestartRequired: computeRestartRequired(valid, observed),
    };
    const extra = Object.entries(facts).filter(([name]) => given.show.includes(name));
    const children = objects.filter(({ kind }) => given.show.includes(kind));
    return {
      objects,
      expect: { ...(children.length > 0 ? { children: plain(children) } : {}), ...Object.fromEntries(extra) },
    };
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    return { objects: [], expect: { error: { reason: error.reason, message: error.message } } };
  }
}

function observe(given: Case): DesktopObservation {
  const world = { ...defaults, ...given };
  const { name, spec, epoch } = given.desktop;
  const desktop = RDPInstance.parse({
    apiVersion: API_VERSION,
    kind: 'RDPInstance',
    metadata: { name, namespace: NAMESPACE, generation: 1 },
    spec,
    ...(epoch === undefined ? {} : { status: { epoch } }),
  });
  const plans = new Map(world.plans.map((plan: Named) => [`${plan.metadata.namespace}/${plan.metadata.name}`, plan]));
  const found = world.images.find((image: Named) => image.metadata.name === desktop.spec.image);
  const image = found && { ...found, metadata: { ...found.metadata, namespace: 'sublet-images' } };
  const child = (value: Partial<Named> | undefined) =>
    value && { ...value, metadata: { name: desktopChildName(name), namespace: NAMESPACE, ...value.metadata } };
  const children = Object.fromEntries(
    Object.entries(world.live ?? {}).map(([key, value]) => [key, child(value ?? {})]),
  );
  return {
    desktop,
    owner: world.owner ?? undefined,
    feed: undefined,
    suspensions: world.suspensions,
    plan: resolvePlan(plans as never, world.seller, desktop.spec.plan),
    image,
    children: { ...NO_CHILDREN, ...children },
  };
}

type Named = { readonly metadata: { readonly name: string; readonly namespace?: string } };

const NO_CHILDREN = {
  disk: undefined,
  claim: undefined,
  virtualMachine: undefined,
  instance: undefined,
  secret: undefined,
  service: undefined,
};

/** Rules that hold for whatever is rendered. */
function describeLeaks({ objects }: Rendered): readonly string[] {
  return objects.flatMap((object) => {
    const text = JSON.stringify(object);
    const leaks: string[] = [];
    if (object.kind !== 'Secret' && text.includes('Passw0rd')) leaks.push(`${object.kind} holds the password`);
    if (/ownerReferences/.test(text)) leaks.push(`${object.kind} has an ownerReference`);
    if (/hostDisk|hostDevices|nodeSelector|privileged|hostNetwork/.test(text))
      leaks.push(`${object.kind} reaches the host`);
    return leaks;
  });
}

function linuxUserData(file: string): readonly string[] {
  const { objects } = render(parse(readFileSync(path.join(FOLDER, file), 'utf8')));
  return objects.flatMap((object) => {
    if (object.kind !== 'Secret' || !('stringData' in object)) return [];
    const data = object.stringData as Readonly<Record<string, string>>;
    const isLinux = data.userdata?.includes('xrdp') === true;
    return isLinux && data.userdata !== undefined ? [data.userdata] : [];
  });
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
