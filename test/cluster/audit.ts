import { open } from 'node:fs/promises';

/** One request as the API server recorded it, reduced to what tests and benchmarks ask for. */
export type AuditEvent = {
  readonly auditID: string;
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string; readonly groups?: readonly string[] };
  readonly impersonatedUser?: { readonly username: string };
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly resource: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly subresource?: string;
    readonly apiGroup?: string;
    readonly apiVersion?: string;
  };
  readonly responseStatus?: { readonly code: number; readonly reason?: string };
  readonly requestObject?: unknown;
  readonly responseObject?: unknown;
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
};

const WRITES: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** Reads the finished requests from an audit log, from a byte offset on; a last line that is still being written is left out. */
export async function readAuditEvents(
  file: string,
  fromByte = 0,
): Promise<{ readonly events: readonly AuditEvent[]; readonly nextByte: number }> {
  const content = await readFrom(file, fromByte);
  const end = content.lastIndexOf(0x0a) + 1;
  const lines = content
    .subarray(0, end)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
  const events = lines.map((line): AuditEvent => JSON.parse(line));
  return {
    events: events.filter((event) => event.stage === 'ResponseComplete' || event.stage === 'Panic'),
    nextByte: fromByte + end,
  };
}

async function readFrom(file: string, fromByte: number): Promise<Buffer> {
  await using handle = await open(file);
  const { size } = await handle.stat();
  const content = Buffer.alloc(Math.max(0, size - fromByte));
  const { bytesRead } = await handle.read(content, 0, content.length, fromByte);
  return content.subarray(0, bytesRead);
}

/** Whether a request was meant to change something: dry runs, token requests and access reviews are not. */
export function isWrite(event: AuditEvent): boolean {
  if (!WRITES.has(event.verb) || event.objectRef === undefined) return false;
  if (/[?&]dryRun=/.test(event.requestURI)) return false;
  const { apiGroup, subresource } = event.objectRef;
  return apiGroup !== 'authorization.k8s.io' && apiGroup !== 'authentication.k8s.io' && subresource !== 'token';
}

/** The user in whose name a request was judged. */
export function actingUser(event: AuditEvent): string {
  return event.impersonatedUser?.username ?? event.user.username;
}
