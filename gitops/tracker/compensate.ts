import { createHash } from 'node:crypto';
import type { Intent, Json, JsonMap } from '../intent.ts';
import type { Author, Change, NewChange } from '../journal.ts';

/**
 * The change that takes back one that Flux cannot apply, so that one mistake does not hold up its folder. It takes back exactly what the failed change set
 * and only where that still stands: what somebody edited since is a conflict of the compensation, and stays. Undefined where there is nothing to take
 * back. Where people looked at the change before, they look at this one, too. Of one failed change there is one compensation, however often it is asked for, because its id follows from the other's. Pure.
 */
export function computeCompensation(failed: Change, author: Author): NewChange | undefined {
  // What stood there already is of whoever wrote it.
  if (failed.author.subject === author.subject || failed.reason === 'Unchanged') return undefined;
  const intent = invert(failed.intent);
  if (intent === undefined) return undefined;
  const id = `I${createHash('sha1').update(`compensation of ${failed.id}`).digest('hex')}`;
  return { id, repository: failed.repository, intent, mode: failed.mode, author, requestId: failed.requestId };
}

function invert(intent: Intent): Intent | undefined {
  const { target } = intent;
  switch (intent.type) {
    case 'Create':
      return { type: 'Delete', target, ...seen(intent.object) };
    case 'Edit':
      return {
        type: 'Edit',
        target,
        edits: intent.edits.toReversed().map(({ path, from, to }) => ({
          path,
          ...(to === undefined ? {} : { from: to }),
          ...(from === undefined ? {} : { to: from }),
        })),
      };
    case 'Delete':
      return undefined;
  }
}

function seen(object: JsonMap): { readonly seen?: Json } {
  return object.spec === undefined ? {} : { seen: object.spec };
}
