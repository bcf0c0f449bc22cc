import { computeResourceId } from '../../../model/identity.ts';
import { desktopChildName } from '../../../model/names.ts';
import { applyChildren, pruneChildren } from '../../children.ts';
import type { OperatorContext } from '../../context.ts';
import { buildRoleBinding } from '../../desired/rdpinstance/role.ts';
import { ownerOf } from '../../informers.ts';
import type { DesktopObservation } from './observation.ts';
import { listReaders } from './validate.ts';

/** Who reads the password follows the Tenant also while the desktop is refused: nobody goes on reading it by breaking the spec. */
export async function applyReaders(
  context: OperatorContext,
  { desktop, owner }: DesktopObservation,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name } = desktop.metadata;
  const live = context.informers.roleBindings.get(`${namespace}/${desktopChildName(name)}`);
  if (owner?.members === undefined || live === undefined) return;
  const key = computeResourceId(owner.tenantId, 'RDPInstance', name);
  if (ownerOf(live) !== key) return;
  const readers = listReaders(owner.members);
  const bindings = buildRoleBinding({ namespace, name, tenantId: owner.tenantId, readers }, context.config);
  await applyChildren(context, bindings, signal);
  await pruneChildren(context, key, ['RoleBinding'], bindings, signal);
}
