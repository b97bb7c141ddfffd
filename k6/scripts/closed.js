// A closed loop: VUS requests are in flight all the time.
//
//   k6 run --out vllmbench=results/k6 -e URL=http://HOST:8000 -e VUS=32 k6/scripts/closed.js
import vllmbench from 'k6/x/vllmbench';

vllmbench.server({ url: __ENV.URL, model: __ENV.MODEL, priority: __ENV.PRIORITY, slo: __ENV.SLO });

export const options = {
  scenarios: {
    closed: {
      executor: 'constant-vus',
      vus: Number(__ENV.VUS || 8),
      duration: __ENV.DURATION || '30s',
      gracefulStop: '10m', // a request that is cut off voids the row
    },
  },
  thresholds: { vllm_void: ['rate==0'] },
  summaryTrendStats: ['med', 'p(90)', 'p(99)', 'max', 'count'],
};

export function setup() {
  return vllmbench.info();
}

export default function () {
  vllmbench.generate({ prompt: Number(__ENV.PROMPT || 200), output: Number(__ENV.OUTPUT || 100) });
}
