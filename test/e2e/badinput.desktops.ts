import { expect } from 'vitest';
import { order, place, withdraw } from './badinput.orders.ts';
import type { Live, Stage } from './stage.ts';
import { isOurWrite } from './stage.ts';
import type { Story } from './story.ts';

/** The namespace of a customer of the provider's; the stories order their desktops there. */
export const HOME = 't-direct';

export const missingPlan: Story = {
  title: 'says which Plan or image is missing, and goes on when it is there',
  async tell(stage) {
    await place(stage, 'sublet-root', order.tenant('early', { plan: 'later' }));
    await place(
      stage,
      HOME,
      order.desktop('early', { plan: 'later' }),
      order.desktop('no-image', { plan: 'dreams', image: 'plan9' }),
    );
    await place(stage, 'sublet-root', order.desktopPlan('dreams', 1, { images: ['ubuntu-24', 'plan9'] }));
    const missing = { status: 'False', reason: 'PlanNotFound' } as const;
    expect((await stage.condition('Tenant', ['sublet-root', 'early'], missing)).message).toContain(
      'spec.plan later: no Plan later in namespace sublet-root',
    );
    expect((await stage.condition('RDPInstance', [HOME, 'early'], missing)).message).toMatch(/spec\.plan.*later/);
    expect(
      (await stage.condition('RDPInstance', [HOME, 'no-image'], { status: 'False', reason: 'ImageNotFound' })).message,
    ).toBe('spec.image: the provider has no image plan9 yet; the order goes on when it appears');
    expect(await remains(stage, HOME, 'early')).toEqual([]);
    expect(await remains(stage, HOME, 'no-image')).toEqual([]);

    await place(stage, 'sublet-root', order.tenantPlan('later'));
    await stage.condition('Tenant', ['sublet-root', 'early'], { status: 'True' });
    await stage.condition('RDPInstance', [HOME, 'early'], missing);
    await place(stage, HOME, order.desktop('early', { image: 'plan9' }), order.desktop('no-image'));
    expect(
      (await stage.condition('RDPInstance', [HOME, 'early'], { status: 'False', reason: 'ImageNotAllowed' })).message,
    ).toContain('spec.image: plan9 is not among the images of Plan tiny: ubuntu-24');
    await place(stage, HOME, order.desktop('early'));
    await stage.condition('RDPInstance', [HOME, 'early'], { status: 'True' });
    await stage.condition('RDPInstance', [HOME, 'no-image'], { status: 'True' });
  },
};

export const noShare: Story = {
  title: 'grants what fits and says by how much the rest does not',
  async tell(stage) {
    await place(
      stage,
      'sublet-root',
      order.desktopPlan('four', 4),
      order.desktopPlan('fourteen', 14),
      order.quota('fits', { vcpu: 16 }),
      order.tenant('fits'),
    );
    await stage.condition('Tenant', ['sublet-root', 'fits'], { status: 'True' });
    const first = order.desktop('first', { plan: 'fourteen', deletion: { policy: 'Delete' } });
    await place(stage, 't-fits', first);
    await stage.condition('RDPInstance', ['t-fits', 'first'], { status: 'True' });
    await place(stage, 't-fits', order.desktop('second', { plan: 'four' }));
    const refusal = await stage.condition('RDPInstance', ['t-fits', 'second'], {
      status: 'False',
      reason: 'QuotaExceeded',
    });
    expect(refusal.message).toBe('vcpu: asked 4, used 14 of 16');
    expect(await remains(stage, 't-fits', 'second')).toEqual([]);

    await withdraw(stage, 'RDPInstance', 't-fits', 'first');
    await stage.condition('RDPInstance', ['t-fits', 'second'], { status: 'True' });
    await expect.poll(() => remains(stage, 't-fits', 'first')).toEqual([]);
    const used = async () => (await stage.get('Quota', 'sublet-root', 'fits'))?.status?.used;
    await expect.poll(used).toMatchObject({ vcpu: '4', desktops: '1' });
  },
};

/** Keys that every JavaScript object answers to: as names, labels and spec members they are like any other. */
export const prototypeKeys: Story = {
  title: "takes names of JavaScript's own for names, and drops what no schema knows",
  async tell(stage) {
    const { cluster } = stage.world;
    await place(stage, 'sublet-root', order.desktopPlan('constructor', 1));
    const labels = { constructor: 'constructor', toString: 'x', hasOwnProperty: 'y' };
    const desktop = { ...order.desktop('constructor', { plan: 'constructor' }), labels };
    await place(stage, HOME, desktop);
    const raw = `{"apiVersion":"sublet.dev/v1alpha1","kind":"RDPInstance","metadata":{"name":"proto","annotations":{"constructor":"x"}},
      "__proto__":{"x":1},"spec":{"__proto__":{"plan":"huge"},"constructor":{"prototype":{"plan":"huge"}},"plan":"tiny","image":"ubuntu-24","username":"proto"}}`;
    const refused = await cluster.kubectl(['-n', HOME, 'create', '-f', '-'], { input: raw, as: 'oidc:dora' });
    expect(refused.stderr).toMatch(/unknown field "spec\.__proto__"/);
    const created = await cluster.kubectl(['-n', HOME, 'create', '--validate=false', '-f', '-'], {
      input: raw,
      as: 'oidc:dora',
    });
    expect(created).toMatchObject({ code: 0 });
    await stage.condition('RDPInstance', [HOME, 'constructor'], { status: 'True' });
    await stage.condition('RDPInstance', [HOME, 'proto'], { status: 'True' });
    const spec = (await stage.get('RDPInstance', HOME, 'proto'))?.spec;
    expect(Object.keys(spec ?? {}).sort()).toEqual(['access', 'deletion', 'image', 'plan', 'power', 'username']);
  },
};

const EDITS = 30;

export const editedMeanwhile: Story = {
  title: 'ends in the last of many quick edits, with one machine and one disk',
  async tell(stage) {
    const { cluster } = stage.world;
    const { nextByte } = await cluster.auditEvents();
    await place(stage, HOME, order.desktop('edited'));
    const edit = (body: unknown) => stage.patch('RDPInstance', HOME, 'edited', body);
    const networks = async () => {
      for (let at = 1; at <= EDITS; at++) await edit({ spec: { access: { allow: [`203.0.113.${at}/32`] } } });
    };
    const powers = async () => {
      for (let at = 1; at <= EDITS; at++) {
        await edit({ metadata: { labels: { edit: `n${at}` } }, spec: { power: at % 2 === 0 ? 'Running' : 'Stopped' } });
      }
    };
    await Promise.all([networks(), powers()]);
    await stage.condition('RDPInstance', [HOME, 'edited'], { status: 'True' });
    const desktop = await stage.get('RDPInstance', HOME, 'edited');
    const last = [`203.0.113.${EDITS}/32`];
    expect(desktop?.spec).toMatchObject({ power: 'Running', access: { allow: last } });
    expect(desktop?.metadata.labels).toMatchObject({ edit: `n${EDITS}` });
    expect(desktop?.status).toMatchObject({ power: 'Running', observedGeneration: desktop?.metadata.generation });
    expect((await stage.get('Service', HOME, 'rdp-edited'))?.spec?.loadBalancerSourceRanges).toEqual(last);

    const { events } = await cluster.auditEvents(nextByte);
    const made = events
      .filter((event) => isOurWrite(event) && event.responseStatus?.code === 201)
      .filter(({ objectRef }) => objectRef?.name === 'rdp-edited')
      .map(({ objectRef }) => objectRef?.resource)
      .filter((resource) => resource !== undefined && LASTING.has(resource));
    expect(made.sort()).toEqual(['datavolumes', 'secrets', 'virtualmachines']);
    const writers = await listSpecWriters(stage, 'edited');
    expect(writers).toContain('badinput');
    expect(writers.filter((manager) => manager.startsWith('sublet'))).toEqual([]);
  },
};

/** Field managers that own a part of the spec. */
async function listSpecWriters(stage: Stage, name: string): Promise<readonly string[]> {
  const path = `/apis/sublet.dev/v1alpha1/namespaces/${HOME}/rdpinstances/${name}`;
  const { metadata } = (await stage.world.cluster.admin.ask('GET', path)) as {
    readonly metadata: { readonly managedFields: readonly { readonly manager: string; readonly fieldsV1: object }[] };
  };
  return metadata.managedFields.filter(({ fieldsV1 }) => 'f:spec' in fieldsV1).map(({ manager }) => manager);
}

const LASTING: ReadonlySet<string> = new Set(['virtualmachines', 'datavolumes', 'secrets']);

/** What of a desktop is there: kind and UID. */
export async function remains(stage: Stage, namespace: string, name: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const kind of ['VirtualMachine', 'DataVolume', 'Secret', 'Service'] as const) {
    const live: Live | undefined = await stage.get(kind, namespace, `rdp-${name}`);
    if (live !== undefined) found.push(`${kind} ${live.metadata.uid}`);
  }
  return found;
}
