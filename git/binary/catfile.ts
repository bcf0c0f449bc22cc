import { RepositoryError } from '../repository.ts';
import { killGroup, startGit } from './process.ts';

export type ObjectInfo = { readonly id: string; readonly type: string; readonly size: number };
export type GitObject = ObjectInfo & { readonly content: Buffer };

/** One `git cat-file` that stays, so that reading costs no process. Answers come in order; it starts at the first question. */
export type ObjectReader = {
  /** Undefined: there is no such object. */
  info(id: string): Promise<ObjectInfo | undefined>;
  /** The caller asked `info` before, and knows that the size is bearable. */
  content(id: string): Promise<GitObject | undefined>;
  close(): void;
};

type Question = {
  readonly wantsContent: boolean;
  readonly resolve: (answer: GitObject | undefined) => void;
  readonly reject: (error: RepositoryError) => void;
};

export function createObjectReader(folder: string, env: Readonly<Record<string, string>>): ObjectReader {
  let session: Session | undefined;
  const ask = (command: 'info' | 'contents', id: string): Promise<GitObject | undefined> => {
    if (!OBJECT.test(id)) return Promise.reject(new RepositoryError('Refused', 'that is no object id'));
    session ??= openSession(folder, env, () => {
      session = undefined;
    });
    return session.ask(command, id);
  };
  return {
    info: (id) => ask('info', id),
    content: (id) => ask('contents', id),
    close: () => session?.close(),
  };
}

/** An object by its id, or the root of a commit. */
const OBJECT = /^[0-9a-f]{40}([0-9a-f]{24})?(\^\{tree\})?$/;

type Session = {
  ask(command: 'info' | 'contents', id: string): Promise<GitObject | undefined>;
  close(): void;
};

function openSession(folder: string, env: Readonly<Record<string, string>>, onEnd: () => void): Session {
  const child = startGit(['-C', folder, 'cat-file', '--batch-command'], env);
  const questions: Question[] = [];
  const input = createInput();
  const end = () => {
    onEnd();
    const error = new RepositoryError('Broken', 'git cat-file ended');
    for (const { reject } of questions.splice(0)) reject(error);
  };
  child.on('error', end).on('close', end);
  child.stderr.resume();
  child.stdout.on('data', (chunk: Buffer) => {
    input.push(chunk);
    for (let question = questions[0]; question !== undefined; question = questions[0]) {
      const answer = readAnswer(input, question.wantsContent);
      if (answer === 'incomplete') return;
      questions.shift();
      question.resolve(answer);
    }
  });
  return {
    ask: (command, id) =>
      new Promise((resolve, reject) => {
        questions.push({ wantsContent: command === 'contents', resolve, reject });
        child.stdin.write(`${command} ${id}\n`);
      }),
    close: () => killGroup(child),
  };
}

type Input = ReturnType<typeof createInput>;

/** Bytes that arrived and are not used yet, joined only when something is complete. */
function createInput() {
  let chunks: Buffer[] = [];
  let bytes = 0;
  const join = (): Buffer => {
    const [first] = chunks;
    const joined = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
    chunks = [joined];
    return joined;
  };
  return {
    push: (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
    },
    /** The bytes, when there are at least so many. */
    peek: (atLeast: number): Buffer | undefined => (bytes < atLeast ? undefined : join()),
    drop: (count: number) => {
      chunks = [join().subarray(count)];
      bytes -= count;
    },
  };
}

const NEWLINE = 10;

function readAnswer(input: Input, wantsContent: boolean): GitObject | undefined | 'incomplete' {
  const head = input.peek(1);
  const newline = head?.indexOf(NEWLINE) ?? -1;
  if (head === undefined || newline < 0) return 'incomplete';
  const [id = '', type = '', text] = head.toString('latin1', 0, newline).split(' ');
  if (text === undefined) {
    input.drop(newline + 1);
    return undefined;
  }
  const size = Number(text);
  if (!wantsContent) {
    input.drop(newline + 1);
    return { id, type, size, content: EMPTY };
  }
  const all = input.peek(newline + 1 + size + 1);
  if (all === undefined) return 'incomplete';
  const content = Buffer.from(all.subarray(newline + 1, newline + 1 + size));
  input.drop(newline + 1 + size + 1);
  return { id, type, size, content };
}

const EMPTY = Buffer.alloc(0);
