import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type TestFleet = {
  readonly folder: string;
  /** Writes files by their path below `tenants/staging/`; `null` removes one. */
  write(files: Readonly<Record<string, string | Uint8Array | null>>): Promise<void>;
  git(...args: readonly string[]): Promise<string>;
  /** Commits everything. */
  commit(): Promise<void>;
  remove(): Promise<void>;
};

/** A fleet repository on disk: a new one, on the branch main and without a commit, or a copy. */
export async function makeFleet(template?: TestFleet): Promise<TestFleet> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sublet-fleet-'));
  if (template !== undefined) await cp(template.folder, folder, { recursive: true });
  const git = async (...args: readonly string[]): Promise<string> => {
    const settings = [
      '-c',
      'user.name=A',
      '-c',
      'user.email=a@example.com',
      '-c',
      'commit.gpgsign=false',
      '-c',
      'core.autocrlf=false',
    ];
    const { stdout } = await run('git', ['-C', folder, ...settings, ...args], { maxBuffer: 64 * 1024 * 1024 });
    return stdout.trim();
  };
  if (template === undefined) await git('init', '--quiet', '--initial-branch=main');
  return {
    folder,
    git,
    write: async (files) => {
      for (const [name, content] of Object.entries(files)) {
        const file = path.join(folder, 'tenants', 'staging', name);
        if (content === null) await rm(file, { force: true });
        else {
          await mkdir(path.dirname(file), { recursive: true });
          await writeFile(file, content);
        }
      }
    },
    commit: async () => {
      await git('add', '--all');
      await git('commit', '--quiet', '--message', 'Change the fleet');
    },
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

type Spec = Readonly<Record<string, unknown>>;

/** A resource as YAML; JSON is YAML. */
export function yaml(kind: string, name: string, spec: Spec): string {
  return `${JSON.stringify({ apiVersion: 'sublet.dev/v1alpha1', kind, metadata: { name }, spec }, null, 2)}\n`;
}

export const recurring = (name: string, amount: string, accrues = 'Exists', per = 'Resource') => ({
  name,
  type: 'Recurring',
  per,
  accrues,
  recurring: { amount, interval: 'Month' },
});

/** A provider, the reseller acme with a list of its own, its customer bob, and one desktop of bob's. */
export const SMALL_FLEET: Readonly<Record<string, string>> = {
  'sublet-root/performance.yaml': yaml('Plan', 'performance', {
    title: 'Performance',
    offers: 'Desktop',
    currency: 'USD',
    price: [recurring('base', '28.00'), recurring('disk', '2.00', 'Stored')],
    desktop: { vcpu: 4, memory: '8Gi', storage: '100Gi', images: ['ubuntu-24', 'windows-11'] },
  }),
  'sublet-root/team.yaml': yaml('Plan', 'team', {
    title: 'Team',
    offers: 'Tenant',
    currency: 'USD',
    price: [recurring('seats', '35.00', 'Exists', 'Seat')],
    limits: { vcpu: 64, memory: '128Gi', storage: '2Ti', gpus: 0, desktops: 20, addresses: 20, tenants: 5 },
  }),
  'sublet-root/acme.yaml': yaml('Tenant', 'acme', {
    id: 'acme-1',
    plan: 'team',
    type: 'Reseller',
    members: [{ kind: 'User', name: 'oidc:owner', role: 'Owner' }],
    source: { type: 'Fleet' },
  }),
  't-acme/pro.yaml': yaml('Plan', 'pro', {
    title: 'Pro',
    offers: 'Desktop',
    basedOn: 'performance',
    currency: 'USD',
    price: [recurring('base', '39.00')],
  }),
  't-acme/studio.yaml': yaml('Plan', 'studio', {
    title: 'Studio',
    offers: 'Tenant',
    currency: 'USD',
    price: [recurring('seats', '45.00', 'Exists', 'Seat')],
    limits: { vcpu: 8, memory: '32Gi', storage: '500Gi', gpus: 0, desktops: 4, addresses: 4, tenants: 0 },
  }),
  't-acme/bob.yaml': yaml('Tenant', 'bob', {
    id: 'bob-1',
    plan: 'studio',
    members: [{ kind: 'User', name: 'oidc:bob', role: 'Owner' }],
    source: { type: 'Fleet' },
  }),
  't-acme--bob/desk.yaml': yaml('RDPInstance', 'desk', { plan: 'pro', image: 'ubuntu-24', username: 'bob' }),
};
