// An open loop: RATE requests a second are sent, however many are in flight.
// Latencies count from when each was due. The run fails unless the objectives hold.
//
//   k6 run --out vllmbench=results/k6 -e URL=http://HOST:8000 -e RATE=4 k6/scripts/arrivals.js
import vllmbench from 'k6/x/vllmbench';

vllmbench.server({ url: __ENV.URL, model: __ENV.MODEL, priority: __ENV.PRIORITY, slo: __ENV.SLO || 'ttft:500ms,itl:50ms' });

export const options = {
  scenarios: {
    arrivals: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.RATE || 4),
      timeUnit: __ENV.UNIT || '1s',
      duration: __ENV.DURATION || '60s',
      preAllocatedVUs: Number(__ENV.VUS || 64), // requests in flight at most: what is due beyond that is dropped
      maxVUs: Number(__ENV.VUS || 64),
      gracefulStop: '10m',
    },
  },
  thresholds: {
    vllm_void: ['rate==0'],
    dropped_iterations: ['count==0'],
    vllm_slo: ['rate>0.95'], // of all requests, those that met every objective
    vllm_ttft: ['p(99)<2000'], // milliseconds
  },
  summaryTrendStats: ['med', 'p(90)', 'p(99)', 'max', 'count'],
};

export function setup() {
  return vllmbench.info();
}

export default function () {
  vllmbench.generate({ prompt: Number(__ENV.PROMPT || 200), output: Number(__ENV.OUTPUT || 100) });
}
