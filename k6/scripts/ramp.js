// An open loop whose rate goes from 0 to RATE a second, stays there and goes back.
//
//   k6 run --out vllmbench=results/k6 -e URL=http://HOST:8000 -e RATE=8 k6/scripts/ramp.js
import vllmbench from 'k6/x/vllmbench';

vllmbench.server({ url: __ENV.URL, model: __ENV.MODEL, priority: __ENV.PRIORITY, slo: __ENV.SLO });

const rate = Number(__ENV.RATE || 8);
const stage = __ENV.DURATION || '30s';

export const options = {
  scenarios: {
    ramp: {
      executor: 'ramping-arrival-rate',
      startRate: 0,
      timeUnit: '1s',
      stages: [
        { target: rate, duration: stage },
        { target: rate, duration: stage },
        { target: 0, duration: stage },
      ],
      preAllocatedVUs: Number(__ENV.VUS || 64),
      maxVUs: Number(__ENV.VUS || 64),
      gracefulStop: '10m',
    },
  },
  thresholds: { vllm_void: ['rate==0'], dropped_iterations: ['count==0'] },
  summaryTrendStats: ['med', 'p(90)', 'p(99)', 'max', 'count'],
};

export function setup() {
  return vllmbench.info();
}

export default function () {
  vllmbench.generate({ prompt: Number(__ENV.PROMPT || 200), output: Number(__ENV.OUTPUT || 100) });
}
