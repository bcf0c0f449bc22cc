import type { CommitId } from '../git/repository.ts';
import { renderSteps } from './change/steps.ts';
import type { Intent } from './intent.ts';

/** What a commit's trailers say of the change that it carries out. */
export type ChangeTrailers = {
  /** `I` and 40 hexadecimal digits. */
  readonly changeId: string;
  /** The user as the API server names it. */
  readonly requestedBy: string;
  readonly requestId: string;
  /** Of the request, in W3C Trace Context form; links the commit to the span of the request. */
  readonly traceparent?: string | undefined;
};

export type ChangeMessage = ChangeTrailers & {
  /** What was done, in the imperative: `Change anna-desk in t-acme--bob`. */
  readonly subject: string;
  readonly body?: string | undefined;
};

/**
 * The text of a commit: one subject line, the body, and a block of trailers that `git interpret-trailers` reads. Line breaks and control characters that
 * users hand in become spaces, and no line of the body can pass for a trailer of ours, so nobody writes a trailer by naming a resource or a user.
 */
export function renderMessage(message: ChangeMessage): string {
  const { subject, body, changeId, requestedBy, requestId, traceparent } = message;
  if (!CHANGE_ID.test(changeId))
    throw new Error(`a Change-Id is I and 40 hexadecimal digits, not ${JSON.stringify(changeId)}`);
  const trailers = [
    [TRAILERS.changeId, changeId],
    [TRAILERS.requestedBy, toLine(requestedBy, MAX_VALUE) || 'unknown'],
    [TRAILERS.requestId, toLine(requestId, MAX_VALUE) || 'unknown'],
    ...(traceparent === undefined ? [] : [[TRAILERS.traceparent, toLine(traceparent, MAX_VALUE)]]),
  ].map(([name, value]) => `${name}: ${value}`);
  const parts = [toSubject(subject), ...(body === undefined ? [] : [toBody(body)]), trailers.join('\n')];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** What an intent does, in the words of a commit: subject and body. Values are left to the diff. */
export function describeIntent(intent: Intent): Pick<ChangeMessage, 'subject' | 'body'> {
  const { kind, namespace, name } = intent.target;
  const verb = { Create: 'Create', Edit: 'Change', Delete: 'Remove' }[intent.type];
  const subject = `${verb} ${kind} ${name} in ${namespace}`;
  const place = `${kind} ${name} in the namespace ${namespace}.`;
  const fields = intent.type === 'Edit' ? intent.edits.map(({ path }) => `- ${renderSteps(path)}`) : [];
  if (subject.length <= MAX_SUBJECT) return { subject, ...(fields.length === 0 ? {} : { body: fields.join('\n') }) };
  return {
    subject: `${verb} ${kind} ${name}`,
    body: [place, ...(fields.length === 0 ? [] : ['', ...fields])].join('\n'),
  };
}

/** The trailers of a commit of ours, or undefined when it has none: those of the last paragraph count, as for git. */
export function parseTrailers(message: string): ChangeTrailers | undefined {
  const paragraphs = message.trimEnd().split(/\n{2,}/);
  const last = paragraphs.length > 1 ? (paragraphs.at(-1) ?? '') : '';
  const found = new Map<string, string>();
  for (const line of last.split('\n')) {
    const match = /^([A-Za-z-]{1,40}): (.*)$/.exec(line);
    if (match?.[1] !== undefined && !found.has(match[1])) found.set(match[1], match[2] ?? '');
  }
  const changeId = found.get(TRAILERS.changeId);
  if (changeId === undefined || !CHANGE_ID.test(changeId)) return undefined;
  const traceparent = found.get(TRAILERS.traceparent);
  return {
    changeId,
    requestedBy: found.get(TRAILERS.requestedBy) ?? '',
    requestId: found.get(TRAILERS.requestId) ?? '',
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

/** Every Change-Id that a message names in a line of its own: a squash keeps those of the commits that it is made of. */
export function listChangeIds(message: string): readonly string[] {
  const ids = message.split('\n').flatMap((line) => /^ {0,8}Change-Id: (I[0-9a-f]{40})\s*$/.exec(line)?.[1] ?? []);
  return [...new Set(ids)];
}

/** Of the commits that were read, those that carry out a change: Change-Id -> the newest one. Hand in newest first, as `log` gives them. */
export function indexChanges(
  log: readonly { readonly commit: CommitId; readonly message: string }[],
): ReadonlyMap<string, CommitId> {
  const found = new Map<string, CommitId>();
  for (const { commit, message } of log) {
    for (const id of listChangeIds(message)) if (!found.has(id)) found.set(id, commit);
  }
  return found;
}

const TRAILERS = {
  changeId: 'Change-Id',
  requestedBy: 'Requested-By',
  requestId: 'Request-Id',
  traceparent: 'Traceparent',
} as const;

const CHANGE_ID = /^I[0-9a-f]{40}$/;
const MAX_SUBJECT = 60;
const MAX_VALUE = 512;
const MAX_BODY_LINES = 40;
const MAX_BODY_LINE = 400;

function toSubject(text: string): string {
  const line = toLine(text, MAX_SUBJECT);
  // A leading mark could be read as a comment, an option or a fixup by tools that handle messages.
  return line.replace(/^[^\p{L}\p{N}]+/u, '') || 'Change resources';
}

/** A body's lines are indented where they look like a trailer, so that only the last paragraph holds any. */
function toBody(text: string): string {
  return text
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .slice(0, MAX_BODY_LINES)
    .map((line) => toLine(line, MAX_BODY_LINE))
    .map((line) => (/^([A-Za-z0-9-]+\s*:|\(cherry picked|-{3}|#)/.test(line) ? `    | ${line}` : line))
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}

/** One line of at most `most` UTF-16 units, cut between characters; control and format characters become spaces. */
function toLine(text: string, most: number): string {
  const line = text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  if (line.length <= most) return line;
  const head = line.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '');
  return `${head.trimEnd()}…`;
}
