import { type FileHandle, open } from 'node:fs/promises';
import { type AuditEvent, isWrite } from '../../cluster/audit.ts';

/** One finished request of the user that is followed. */
export type AuditedCall = {
  readonly verb: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly name: string;
  /** Path and query. */
  readonly uri: string;
  readonly code: number;
  readonly write: boolean;
  /** Milliseconds since the epoch, by the API server's clock. */
  readonly receivedMs: number;
  readonly completedMs: number;
};

/** Reads an audit log as it grows, and keeps the calls of one user, or of everybody when none is named. */
export class AuditTail {
  readonly #file: FileHandle;
  readonly #user: string | undefined;
  readonly #calls: AuditedCall[] = [];
  #offset: number;
  #partial = '';

  private constructor(file: FileHandle, offset: number, user: string | undefined) {
    this.#file = file;
    this.#offset = offset;
    this.#user = user;
  }

  /** Begins at the present end of the log. */
  static async open(path: string, user?: string): Promise<AuditTail> {
    const file = await open(path, 'r');
    return new AuditTail(file, (await file.stat()).size, user);
  }

  get calls(): readonly AuditedCall[] {
    return this.#calls;
  }

  /** Takes in what was written since; returns how many of the user's calls that were. */
  async read(): Promise<number> {
    const before = this.#calls.length;
    for (;;) {
      const { bytesRead, buffer } = await this.#file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, this.#offset);
      if (bytesRead === 0) return this.#calls.length - before;
      this.#offset += bytesRead;
      const lines = (this.#partial + buffer.toString('latin1', 0, bytesRead)).split('\n');
      this.#partial = lines.pop() ?? '';
      for (const line of lines) this.#take(line);
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #take(line: string): void {
    if (this.#user !== undefined && !line.includes(`"username":"${this.#user}"`)) return;
    const event: AuditEvent = JSON.parse(line);
    if (event.stage !== 'ResponseComplete' && event.stage !== 'Panic') return;
    if (event.objectRef === undefined || event.objectRef.resource === 'leases') return;
    this.#calls.push({
      verb: event.verb,
      resource: event.objectRef.resource,
      subresource: event.objectRef.subresource,
      name: event.objectRef.name ?? '',
      uri: event.requestURI,
      code: event.responseStatus?.code ?? 0,
      write: isWrite(event),
      receivedMs: Date.parse(event.requestReceivedTimestamp),
      completedMs: Date.parse(event.stageTimestamp),
    });
  }
}

const CHUNK_BYTES = 4 * 1024 * 1024;
