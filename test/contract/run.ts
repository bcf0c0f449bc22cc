import { setTimeout as sleep } from 'node:timers/promises';
import type { Call, Case, Kubectl, Step, Watch } from './case.ts';
import { at, type Json, mapJson, parseJson } from './json.ts';
import type { RawAnswer, RawHeaders, RawRequest, Server } from './server.ts';
import type { Entry, Scope, Transcript } from './transcript.ts';

const UNTIL_TIMEOUT_MS = 120_000;
const UNTIL_PAUSE_MS = 40;
const WATCH_TIMEOUT_MS = 120_000;
/** How long a watch that had all its lines is listened to for lines that should not be there. */
const WATCH_QUIET_MS = 120;
/** Headers that are part of the contract; others differ by nature (`audit-id`, `date`) or are about the connection. */
const HEADERS = ['content-type', 'warning', 'retry-after', 'allow', 'location', 'cache-control', 'vary'];

/** Runs a case on one server and gives what it answered. Throws only when the server does not answer at all. */
export async function runCase(server: Server, one: Case, scope: Scope): Promise<Transcript> {
  const text = JSON.stringify(one.steps.map(mentions));
  for (const [placeholder, name] of [['{ns}', scope.ns] as const, ['{ns2}', scope.ns2] as const]) {
    if (text.includes(placeholder)) await makeNamespace(server, name);
  }
  const run: Run = { server, scope, answers: new Map(), entries: [], step: 0 };
  await runSteps(run, one.steps);
  return { entries: run.entries, scope };
}

type Run = {
  readonly server: Server;
  readonly scope: Scope;
  readonly answers: Map<string, Json>;
  readonly entries: Entry[];
  step: number;
};

async function runSteps(run: Run, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    run.step++;
    if (step.type === 'pause') await sleep(step.ms);
    else if (step.type === 'compact') await run.server.compact();
    else if (step.type === 'kubectl') await runKubectl(run, step);
    else if (step.type === 'watch') await runWatch(run, step);
    else await runCall(run, step);
  }
}

async function runCall(run: Run, step: Call): Promise<void> {
  const label = `${run.step} ${step.method} ${step.path}`;
  const request = {
    method: step.method,
    path: fill(run, step.path),
    headers: mapJson(step.headers, (text) => fill(run, text)) as Record<string, string>,
    ...(step.body === undefined ? {} : { body: typeof step.body === 'string' ? fill(run, step.body) : step.body }),
  };
  const deadlineMs = performance.now() + UNTIL_TIMEOUT_MS;
  for (;;) {
    const answer = await send(run.server, request);
    const met = step.until?.(answer) ?? true;
    if (!met && performance.now() < deadlineMs) {
      await sleep(UNTIL_PAUSE_MS);
      continue;
    }
    if (step.name !== undefined) run.answers.set(step.name, answer.body);
    const body = step.pick === undefined ? answer.body : step.pick(answer.body);
    run.entries.push({
      step: label,
      answer: { status: answer.status, headers: answer.headers, body },
      ...(met ? {} : { failure: 'what the step waits for did not come' }),
    });
    return;
  }
}

/** A connection that the server closes instead of answering is an answer too. */
async function send(server: Server, request: RawRequest): Promise<ReturnType<typeof renderAnswer>> {
  try {
    return renderAnswer(await server.send(request));
  } catch (error) {
    return { status: 0, headers: {}, body: `no answer: ${error instanceof Error ? error.message : error}` };
  }
}

async function runWatch(run: Run, step: Watch): Promise<void> {
  const label = `${run.step} WATCH ${step.path}`;
  const stream = await run.server.open({ method: 'GET', path: fill(run, step.path), headers: step.headers });
  await runSteps(run, step.during);
  const isKept = (line: string): boolean =>
    step.bookmarks || !line.startsWith('{"type":"BOOKMARK"') || line.includes('k8s.io/initial-events-end');
  const kept = (): readonly string[] => stream.lines.filter(isKept);
  const isOpenEnded = step.lines === undefined && step.until === undefined;
  const isEnough = (): boolean => {
    if (step.until !== undefined) return kept().at(-1)?.includes(step.until) === true;
    return isOpenEnded ? stream.ended() : kept().length >= (step.lines ?? 0);
  };
  const deadlineMs = performance.now() + WATCH_TIMEOUT_MS;
  while (!isEnough() && !stream.ended() && performance.now() < deadlineMs) {
    await Promise.race([stream.progress(), sleep(200)]);
  }
  if (!stream.ended() && !isOpenEnded) await sleep(WATCH_QUIET_MS);
  const [enough, ended] = [isEnough(), stream.ended()];
  stream.cancel();
  // A refusal is one document, on however many lines.
  const refusal = stream.status === 200 ? undefined : [...stream.lines, stream.rest()].join('\n');
  const lines = refusal === undefined ? kept().map(parseOrText).filter(isNoRepeatedBookmark) : [parseOrText(refusal)];
  if (step.name !== undefined) run.answers.set(step.name, lines);
  const rest = stream.rest() === '' || refusal !== undefined ? [] : [parseOrText(stream.rest())];
  run.entries.push({
    step: label,
    answer: { status: stream.status, headers: renderHeaders(stream.headers), lines: [...lines, ...rest], ended },
    ...(enough ? {} : { failure: `after ${lines.length} lines, not all that the case waits for came` }),
  });
}

/** How many bookmarks come after the last event depends on the server's own rhythm. */
function isNoRepeatedBookmark(line: Json, index: number, lines: readonly Json[]): boolean {
  return at(line, 'type') !== 'BOOKMARK' || at(lines[index - 1], 'type') !== 'BOOKMARK';
}

async function runKubectl(run: Run, step: Kubectl): Promise<void> {
  const args = step.args.map((arg) => fill(run, arg));
  const input = step.input === undefined ? undefined : fill(run, step.input);
  const { stdout, stderr, code } = await run.server.kubectl(args, input);
  run.entries.push({
    step: `${run.step} kubectl ${step.args.join(' ')}`,
    answer: { code, stdout: renderPrinted(stdout), stderr },
  });
}

/** Ages, and the widths of columns that follow from them and from the length of names. */
function renderPrinted(text: string): string {
  return text.replaceAll(/\b(\d+[hms])+\b/g, '<age>').replaceAll(/ {2,}/g, '  ');
}

async function makeNamespace(server: Server, name: string): Promise<void> {
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const headers = { 'content-type': 'application/json' };
  const answer = await server.send({ method: 'POST', path: '/api/v1/namespaces', headers, body });
  if (answer.status !== 201) throw new Error(`cannot make namespace ${name}: ${answer.body}`);
}

function mentions(step: Step): unknown {
  if (step.type === 'watch') return [step.path, step.during.map(mentions)];
  if (step.type === 'kubectl') return [step.args, step.input];
  if (step.type === 'call') return [step.path, typeof step.body === 'string' ? step.body : ''];
  return '';
}

function fill(run: Run, text: string): string {
  const { id, ns, ns2 } = run.scope;
  return text
    .replaceAll('{ns}', ns)
    .replaceAll('{ns2}', ns2)
    .replaceAll('{id}', id)
    .replaceAll(/<<(\w+):([^>]*)>>/g, (_, name: string, path: string) => {
      const found = at(run.answers.get(name), path);
      return typeof found === 'string' ? found : (JSON.stringify(found) ?? '<<nothing>>');
    });
}

function renderAnswer(answer: RawAnswer): { status: number; headers: Json; body: Json } {
  const text = answer.body.toString('utf8');
  const isJson = String(answer.headers['content-type'] ?? '').includes('json');
  return {
    status: answer.status,
    headers: renderHeaders(answer.headers),
    body: isJson ? parseOrText(text) : text,
  };
}

function renderHeaders(headers: RawHeaders): Json {
  const kept = HEADERS.flatMap((name): [string, Json][] => {
    const value = headers[name];
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(kept);
}

function parseOrText(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}
