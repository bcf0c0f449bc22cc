import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';

const STOP = path.join(import.meta.dirname, 'stop.ts');

let child: ChildProcess;

afterEach(() => {
  child.kill('SIGKILL');
});

/** A process that is told to stop, hears the same again at once when it is `told twice`, takes `stopMs` for it, and then says so. */
async function start(stopMs: number, told: 'once' | 'twice' = 'once'): Promise<() => string> {
  const text = `
    import { listenForStop } from ${JSON.stringify(STOP)};
    const alive = setInterval(() => {}, 1_000);
    listenForStop().addEventListener('abort', ({ target }) => {
      console.log(target.reason.message);
      if (${told === 'twice'}) process.kill(process.pid, target.reason.message.split(' ')[1]);
      setTimeout(() => { console.log('stopped'); clearInterval(alive); }, ${stopMs});
    });
    console.log('up');
  `;
  child = spawn(process.execPath, ['--input-type=module', '--eval', text], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  await expect.poll(() => output).toContain('up');
  return () => output;
}

it.each(['SIGINT', 'SIGTERM'] as const)(
  'stops once for %s that comes twice, from a terminal and the launcher',
  async (name) => {
    const output = await start(400, 'twice');
    child.kill(name);
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(output()).toBe(`up\nreceived ${name}\nstopped\n`);
  },
);

it('ends at once when the signal is repeated later', async () => {
  const output = await start(60_000);
  child.kill('SIGINT');
  await expect.poll(output).toContain('received SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  child.kill('SIGINT');
  expect(await once(child, 'exit')).toEqual([null, 'SIGINT']);
});
