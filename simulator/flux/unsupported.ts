/** Fields of a GitRepository's spec that the simulator plays. */
export const GITREPOSITORY_FIELDS = {
  spec: ['url', 'interval', 'timeout', 'ref', 'ignore', 'suspend', 'secretRef'],
  ref: ['branch', 'tag', 'name', 'commit'],
  secretRef: ['name'],
} as const;

/** Fields of a Kustomization's spec that the simulator plays; `wait: false` says nothing. */
export const KUSTOMIZATION_FIELDS = {
  spec: [
    ...['interval', 'retryInterval', 'timeout', 'sourceRef', 'path', 'prune', 'deletionPolicy', 'targetNamespace'],
    ...['serviceAccountName', 'dependsOn', 'suspend', 'force'],
  ],
  dependsOn: ['name', 'namespace'],
  sourceRef: ['apiVersion', 'kind', 'name', 'namespace'],
} as const;

/**
 * Names the first field that asks for something the simulator does not play, with what to do; undefined when there is none. `false` and
 * empty values ask for nothing.
 */
export function findUnsupported(
  spec: Readonly<Record<string, unknown>>,
  fields: { readonly spec: readonly string[]; readonly [member: string]: readonly string[] },
): string | undefined {
  for (const [name, value] of Object.entries(spec)) {
    if (isEmpty(value)) continue;
    if (!fields.spec.includes(name)) return say(`spec.${name}`);
    const known = fields[name];
    if (known === undefined || name === 'spec') continue;
    for (const item of Array.isArray(value) ? value : [value]) {
      const other = Object.keys(item).find((member) => !known.includes(member) && !isEmpty(item[member]));
      if (other !== undefined) return say(`spec.${name}.${other}`);
    }
  }
  return undefined;
}

function say(field: string): string {
  return `${field} is not supported by the simulated Flux; remove it, or use a cluster that runs Flux`;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
