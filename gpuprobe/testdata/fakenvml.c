// A libnvidia-ml.so.1 without a GPU. FAKE_NVML in the environment chooses how it
// behaves; -DOLD leaves out what drivers of 2020 did not export.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OK = 0, INVALID = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, DRIVER_NOT_LOADED = 9, TIMEOUT = 10, LOST = 15, MISMATCH = 18 };
typedef void *device;

static int is(const char *what) {
	const char *mode = getenv("FAKE_NVML");
	return mode && strcmp(mode, what) == 0;
}

static int reads; // of the energy counter, the first call of every read

static int gone(device d) { return is("vanish") && d == (device)2 && reads > 8; }

static int answer(device d) {
	if (gone(d)) return LOST;
	if (is("unsupported")) return NOT_SUPPORTED;
	if (is("refused")) return NO_PERMISSION;
	return OK;
}

static double seconds(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

int nvmlInit_v2(void) {
	if (is("unloaded")) return DRIVER_NOT_LOADED;
	if (is("mismatch")) return MISMATCH;
	if (is("forbidden")) return NO_PERMISSION;
	return OK;
}
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int ret) { return ret == NO_PERMISSION ? "Insufficient Permissions" : "some error"; }
int nvmlSystemGetDriverVersion(char *v, unsigned n) { strncpy(v, "580.00.01", n); return OK; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = is("empty") ? 0 : 2; return OK; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, device *d) {
	if (is("closed")) return NO_PERMISSION;
	*d = (device)(uintptr_t)(i + 1);
	return OK;
}
int nvmlDeviceGetName(device d, char *s, unsigned n) { strncpy(s, "NVIDIA Fake", n); return OK; }
int nvmlDeviceGetUUID(device d, char *s, unsigned n) { strncpy(s, d == (device)1 ? "GPU-aaaa-1" : "GPU-bbbb-2", n); return OK; }
struct pci { char legacy[16]; unsigned f[5]; char id[32]; };
int nvmlDeviceGetPciInfo_v3(device d, struct pci *p) { strcpy(p->id, "00000000:41:00.0"); return OK; }
int nvmlDeviceGetComputeMode(device d, unsigned *m) { *m = 0; return OK; }
int nvmlDeviceGetMemoryBusWidth(device d, unsigned *w) { *w = 6016; return OK; }
int nvmlDeviceGetMaxClockInfo(device d, unsigned type, unsigned *mhz) { *mhz = type == 2 ? 3201 : 1980; return OK; }
int nvmlDeviceGetEnforcedPowerLimit(device d, unsigned *mw) { *mw = 700000; return OK; }
int nvmlDeviceGetMigMode(device d, unsigned *now, unsigned *next) { *now = *next = is("mig"); return OK; }

struct memory { uint64_t total, free, used; };
int nvmlDeviceGetMemoryInfo(device d, struct memory *m) {
	*m = (struct memory){16ull << 30, 11ull << 30, 5ull << 30};
	return answer(d);
}
int nvmlDeviceGetTotalEnergyConsumption(device d, uint64_t *mj) {
	reads++;
	*mj = (uint64_t)(seconds() * 10) * 10000; // 100 W in steps of 0.1 s
	return answer(d);
}
struct utilization { unsigned gpu, memory; };
int nvmlDeviceGetUtilizationRates(device d, struct utilization *u) { u->gpu = 100; u->memory = 50; return is("mig") ? NOT_SUPPORTED : answer(d); }
int nvmlDeviceGetClockInfo(device d, unsigned type, unsigned *mhz) { *mhz = type == 2 ? 3201 : 1500; return answer(d); }
int nvmlDeviceGetTemperature(device d, unsigned s, unsigned *t) { *t = 55; return answer(d); }
int nvmlDeviceGetPowerUsage(device d, unsigned *mw) { *mw = 100000; return answer(d); }
int nvmlDeviceGetTotalEccErrors(device d, unsigned a, unsigned b, uint64_t *n) { *n = 0; return answer(d); }
int nvmlDeviceGetCurrentClocksThrottleReasons(device d, uint64_t *bits) { *bits = 0x4; return answer(d); }

#ifdef OLD
struct process { unsigned pid; uint64_t memory; };
int nvmlDeviceGetComputeRunningProcesses(device d, unsigned *n, struct process *p) {
#else
struct process { unsigned pid; uint64_t memory; unsigned gi, ci; };
int nvmlDeviceGetComputeRunningProcesses_v3(device d, unsigned *n, struct process *p) {
#endif
	if (answer(d) != OK) return answer(d);
	*n = 1;
	p[0].pid = 4000 + (unsigned)(uintptr_t)d;
	p[0].memory = 3ull << 30;
	return OK;
}

#ifndef OLD
struct memory2 { unsigned version; uint64_t total, reserved, free, used; };
int nvmlDeviceGetMemoryInfo_v2(device d, struct memory2 *m) {
	m->total = 16ull << 30, m->reserved = 1ull << 30, m->free = 11ull << 30, m->used = 4ull << 30;
	return answer(d);
}
int nvmlDeviceGetCurrentClocksEventReasons(device d, uint64_t *bits) { *bits = 0x40; return answer(d); }
struct temperature { unsigned version, sensor; int t; };
int nvmlDeviceGetTemperatureV(device d, struct temperature *t) { t->t = 66; return answer(d); }

struct field { unsigned id, scope; int64_t at, latency; unsigned type; int ret; union { double d; unsigned u; uint64_t l; } v; };
int nvmlDeviceGetFieldValues(device d, int n, struct field *f) {
	for (int i = 0; i < n; i++) {
		f[i].ret = OK;
		f[i].type = 3, f[i].v.l = f[i].id == 74 ? (uint64_t)(seconds() * 1e9) : 0; // at the power limit all the time
		if (f[i].id == 185) f[i].type = 1, f[i].v.u = 101000;
		if (f[i].id == 76) f[i].ret = NOT_SUPPORTED;
	}
	return answer(d);
}

struct support { unsigned version, is; };
int nvmlGpmQueryDeviceSupport(device d, struct support *s) { s->is = d == (device)1; return OK; }
int nvmlGpmSampleAlloc(void **s) { *s = calloc(1, 64); return OK; }
int nvmlGpmSampleFree(void *s) { free(s); return OK; }
int nvmlGpmSampleGet(device d, double *s) { *s = seconds(); return answer(d); }
struct metric { unsigned id; int ret; double value; char *s[3]; };
struct metrics { unsigned version, n; double *a, *b; struct metric m[477]; };
int nvmlGpmMetricsGet(struct metrics *g) {
	if (*g->b - *g->a < 0.1) return INVALID; // too young, or in the wrong order
	for (unsigned i = 0; i < g->n; i++) {
		g->m[i].ret = g->m[i].id == 5 ? NOT_SUPPORTED : OK;
		g->m[i].value = g->m[i].id == 10 ? 78.6 : g->m[i].id;
	}
	return OK;
}

struct event { device d; uint64_t type, data; unsigned gi, ci; };
int nvmlEventSetCreate(void **s) { *s = (void *)9; return OK; }
int nvmlEventSetFree(void *s) { return OK; }
int nvmlDeviceRegisterEvents(device d, uint64_t types, void *s) { return types == 8 ? OK : INVALID; }
int nvmlEventSetWait_v2(void *s, struct event *e, unsigned ms) {
	static int told;
	if (!is("xid") || reads < 3 || told++) return TIMEOUT;
	e->d = (device)2, e->type = 8, e->data = 31;
	return OK;
}
#endif
