import type { Core, WriteCall } from './core.ts';
import { type AdmissionRequest, groupResource, type Operation } from './kinds.ts';
import type { ApiObject } from './object.ts';
import { failure, forbidden, notFound, qualify } from './status.ts';

/** Runs the hooks one after the other; synchronous as long as all of them are. */
export function admit(
  call: WriteCall,
  operation: Operation,
  name: string,
  object: ApiObject | undefined,
  oldObject: ApiObject | undefined,
): void | Promise<void> {
  const { core, kind, subresource, namespace, user, warn, options, optionsObject } = call;
  if (core.admission.length === 0) return;
  const base = { operation, kind, subresource, namespace, name, object, oldObject, user, warn };
  return runHooks(core, { ...base, dryRun: options.dryRun, options: optionsObject }, 0);
}

function runHooks(core: Core, request: AdmissionRequest, from: number): void | Promise<void> {
  for (let index = from; index < core.admission.length; index += 1) {
    const answer = core.admission[index]?.(request);
    if (answer instanceof Promise) return answer.then(() => runHooks(core, request, index + 1));
  }
}

const IMMORTAL: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public']);

/** The admission plug-in NamespaceLifecycle: content needs a namespace that is not about to go. Throws `ApiError`. */
export function checkNamespace(call: WriteCall, operation: Operation, name: string): void {
  const { core, kind, namespace } = call;
  const isNamespace = kind.group === '' && kind.plural === 'namespaces';
  if (isNamespace) {
    if (operation === 'DELETE' && IMMORTAL.has(name)) {
      throw forbidden(groupResource(kind), name, 'this namespace may not be deleted');
    }
    return;
  }
  if (!kind.namespaced || operation !== 'CREATE') return;
  const namespaces = core.registry.namespaces;
  const found = namespaces.get('', namespace);
  if (found === undefined) throw notFound({ group: '', resource: 'namespaces' }, namespace);
  if (found.object.metadata.deletionTimestamp === undefined) return;
  const of = groupResource(kind);
  const quoted = name === '' ? qualify(of) : `${qualify(of)} ${JSON.stringify(name)}`;
  const message = `${quoted} is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`;
  throw failure(403, 'Forbidden', message, {
    name,
    group: of.group,
    kind: of.resource,
    causes: [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ],
  });
}
