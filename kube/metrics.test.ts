import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';

test('renders counters, gauges and histograms in the text format', () => {
  const metrics = createMetrics();
  metrics.counter('c_total', 'Counts\nthings.', ['a', 'b']).labels('x"\\\n', 'y').inc(2);
  metrics.gauge('g', 'A gauge.').labels().set(1.5);
  const histogram = metrics.histogram('h_seconds', 'A histogram.', [0.1, 1], ['k']).labels('v');
  for (const value of [0.05, 0.1, 0.5, 5]) histogram.observe(value);
  expect(metrics.render()).toBe(
    [
      '# HELP c_total Counts\\nthings.',
      '# TYPE c_total counter',
      'c_total{a="x\\"\\\\\\n",b="y"} 2',
      '# HELP g A gauge.',
      '# TYPE g gauge',
      'g 1.5',
      '# HELP h_seconds A histogram.',
      '# TYPE h_seconds histogram',
      'h_seconds_bucket{k="v",le="0.1"} 2',
      'h_seconds_bucket{k="v",le="1"} 3',
      'h_seconds_bucket{k="v",le="+Inf"} 4',
      'h_seconds_sum{k="v"} 5.65',
      'h_seconds_count{k="v"} 4',
      '',
    ].join('\n'),
  );
});

test('the same series comes back, another shape under its name is refused', () => {
  const metrics = createMetrics();
  const counter = metrics.counter('c_total', 'C.', ['a']);
  counter.labels('x').inc();
  metrics.counter('c_total', 'C.', ['a']).labels('x').inc();
  expect(counter.labels('x').value()).toBe(2);
  expect(() => metrics.gauge('c_total', 'C.', ['a'])).toThrow('metric c_total exists as counter{a}');
  expect(() => metrics.counter('c_total', 'C.', ['b'])).toThrow('asked for as counter{b}');
  expect(() => counter.labels()).toThrow('got 0 values');
  expect(() => counter.labels('x').inc(-1)).toThrow('only grows');
  expect(() => metrics.counter('1bad', 'C.')).toThrow('no metric name');
});

test('collectors run at each rendering', () => {
  const metrics = createMetrics();
  const gauge = metrics.gauge('g', 'G.').labels();
  const remove = metrics.onCollect(() => gauge.add(1));
  metrics.render();
  expect(metrics.render()).toContain('g 2\n');
  remove();
  expect(metrics.render()).toContain('g 2\n');
});
