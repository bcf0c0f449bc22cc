import { expect } from 'vitest';
import type { Story } from './story.ts';

const FILE = 't-acme--bob/proto.yaml';
const desktop = (more: string) => `apiVersion: sublet.dev/v1alpha1
kind: RDPInstance
metadata:
  name: proto
${more}`;
const SPEC = 'spec: {plan: pro, image: ubuntu-24, username: anna';

/** The fleet source reads what people wrote before any API server does. */
export const gate: Story = {
  title: "holds a customer's folder whose file reaches for a prototype, is too large or smuggles YAML",
  async tell(stage) {
    const { world } = stage;
    for (const [content, says] of [
      [desktop(`  labels: {__proto__: x}\n${SPEC}}\n`), /proto\.yaml:5.*__proto__/],
      [desktop(`  annotations: {"__proto__": x}\n${SPEC}}\n`), /proto\.yaml:5.*__proto__/],
      [desktop(`${SPEC}, __proto__: {plan: huge}}\n`), /proto\.yaml:5.*__proto__/],
      [
        desktop(`${SPEC}, access: {allow: [203.0.113.1/24]}}\n`),
        /spec\.access\.allow\[?\.?0\]?.*no bits set after the prefix/,
      ],
      [desktop('spec: {plan: pro, image: ubuntu-24, username: "anna\\nroot"}\n'), /spec\.username.*lower-case letter/],
      [desktop(`${SPEC}, notes: ${'a'.repeat(2 ** 20)}}\n`), /proto\.yaml.*(fileBytes|not known)/],
    ] as const) {
      await world.write(FILE, content);
      await world.push('Write what nobody should');
      await stage.eventually(`bob's folder is held, saying ${says}`, async () => {
        const artifact = await stage.get('ExternalArtifact', 'sublet-fleet', 't-acme--bob');
        const held = artifact?.status?.conditions?.find(({ reason }) => reason === 'Held');
        return held !== undefined && says.test(held.message) ? held : undefined;
      });
    }
    await world.remove(FILE);
    await world.push('Take it back');
    await stage.eventually("bob's folder is no longer held", async () => {
      const artifact = await stage.get('ExternalArtifact', 'sublet-fleet', 't-acme--bob');
      return artifact?.status?.conditions?.some(({ reason }) => reason === 'Held') ? undefined : true;
    });
    expect(await stage.get('RDPInstance', 't-acme--bob', 'proto')).toBeUndefined();
    await stage.condition('RDPInstance', ['t-acme--bob', 'anna-desk'], { status: 'True' });
  },
};
