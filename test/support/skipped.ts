import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node';

const NEEDS = /\[needs ([^:\]]+): ([^\]]+)\]/;

/** Ends a run by saying which tests were skipped for want of something, and how to get it. */
export class SkippedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, number>();
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const need = needOf(test);
        if (need !== undefined) counts.set(need, (counts.get(need) ?? 0) + 1);
      }
    }
    for (const [need, count] of counts) console.log(`skipped: ${count} tests need ${need}`);
  }
}

function needOf(test: TestCase): string | undefined {
  for (let node: TestCase | TestSuite | TestModule = test; node.type !== 'module'; node = node.parent) {
    const match = NEEDS.exec(node.name);
    if (match !== null) return `${match[1]}: ${match[2]}`;
  }
  return undefined;
}
