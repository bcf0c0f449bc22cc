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
    return { kind: 'tried', texts: await findClass(task.point.class).tryPoint(task.point) };
  } catch (error) {
    return { kind: 'failed', text: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
