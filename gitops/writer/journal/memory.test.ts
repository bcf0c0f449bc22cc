import { realClock } from '../../../kube/clock.ts';
import { createMemoryJournal } from './memory.ts';
import { describeJournal } from './testing/contract.ts';

describeJournal('in memory', async () => ({
  journal: createMemoryJournal({ clock: realClock }),
  close: async () => {},
}));
