import { readFile } from 'node:fs/promises';

/** Why a process and what it started have too much memory, or undefined. Mapped files do not count. Only Linux tells; elsewhere nothing is found. */
export async function findTooHungry(pid: number | undefined, maxBytes: number): Promise<string | undefined> {
  if (pid === undefined || (await measureMemory(pid)) <= maxBytes) return undefined;
  return `git needs more than ${maxBytes} bytes of memory for it`;
}

async function measureMemory(pid: number): Promise<number> {
  const [status, children] = await Promise.all(
    [`/proc/${pid}/status`, `/proc/${pid}/task/${pid}/children`].map((file) =>
      readFile(file, 'latin1').catch(() => ''),
    ),
  );
  const own = Number(/^RssAnon:\s+([0-9]+) kB$/m.exec(status ?? '')?.[1] ?? 0) * 1024;
  const below = await Promise.all(
    [...(children ?? '').matchAll(/[0-9]+/g)].map(([child]) => measureMemory(Number(child))),
  );
  return below.reduce((sum, bytes) => sum + bytes, own);
}
