// One worker of the sweep: enumerates and tries points that its parent names.
import { parentPort } from 'node:worker_threads';
import { findClass } from './classes/index.ts';
import type { Answer, Task } from './pool.ts';

const port = parentPort;
if (port === null) throw new Error('this file is started by pool.ts');
port.on('message', (task: Task) => {
  work(task).then((answer) => port.postMessage(answer));
});

async function work(task: Task): Promise<Answer> {
  try {
    if (task.kind === 'enumerate') {
      return { kind: 'points', points: await findClass(task.class).enumerate(task.scenario, task.seed) };
    }
    const counts = new Map<string, number>();
    const count = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
    const texts = await findClass(task.point.class).tryPoint(task.point, count);
    return { kind: 'tried', texts, counts };
  } catch (error) {
    return { kind: 'failed', text: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
