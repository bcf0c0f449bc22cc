// Reads the JSON reports that .ci/run lets vitest write into a folder.
//
//   node report.mjs again <folder>     prints the test files to try once more, one a line; nothing when there are none or too many
//   node report.mjs summary <folder>   prints what failed, what was unsteady, and as its last line the counts
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** More failed files than this are a fault and not a coincidence. */
const MAX_TRIED_AGAIN = 2;
const MAX_MESSAGE_LENGTH = 2_000;

const [command, folder] = process.argv.slice(2);
const first = ['unit', 'cluster'].map((project) => read(`report.${project}.json`));

if (command === 'again') {
  const failed = first.includes(undefined) ? [] : first.flat().filter(isFailed);
  if (failed.length <= MAX_TRIED_AGAIN) for (const { name } of failed) console.log(name);
} else {
  summarise();
}

function summarise() {
  const again = read('again.json') ?? [];
  const files = first.flatMap((results) => results ?? []);
  const last = files.map((file) => again.find(({ name }) => name === file.name) ?? file);
  for (const file of files) {
    if (isFailed(file) && !isFailed(last.find(({ name }) => name === file.name)))
      tell('unsteady, passed when tried again', file);
  }
  for (const file of last) tell('failed', file);
  const count = (...statuses) =>
    last.flatMap(({ assertionResults }) => assertionResults).filter(({ status }) => statuses.includes(status)).length;
  const broken = last.filter(isBroken).length + first.filter((results) => results === undefined).length;
  const failed = count('failed') + broken;
  console.log(`tests: ${count('passed')} passed, ${failed} failed, ${count('pending', 'skipped', 'todo')} skipped`);
}

function tell(what, file) {
  if (isBroken(file)) console.log(`${what}: ${file.name}: ${shorten(file.message)}`);
  for (const { status, fullName, failureMessages } of file.assertionResults) {
    if (status === 'failed') console.log(`${what}: ${file.name}: ${fullName}: ${shorten(failureMessages[0])}`);
  }
}

function isFailed({ status }) {
  return status === 'failed';
}

/** Whether the file failed without a test that did. */
function isBroken(file) {
  return isFailed(file) && !file.assertionResults.some(isFailed);
}

function shorten(message = '') {
  return message.slice(0, MAX_MESSAGE_LENGTH);
}

function read(name) {
  const file = path.join(folder, name);
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, 'utf8')).testResults;
}
