package roofline

import (
	"fmt"
	"slices"
	"strings"
)

const mebi = 1 << 20

// models holds the known shapes, from the models' config.json files.
func models() []Model {
	return []Model{{
		Name: "Qwen2.5-7B", Layers: 28, Hidden: 3584, Intermediate: 18944, Heads: 28, KVHeads: 4, HeadDim: 128,
		Vocab: 152064, QKVBias: true, MaxPositions: 32768, BytesPerWeight: 2, BytesPerKV: 2,
	}}
}

// gpus holds the known devices: peaks from NVIDIA's data sheets (dense, SXM
// boards), memory as nvidia-smi reports it.
func gpus() []GPU {
	return []GPU{
		{Name: "A100-80GB", Memory: 81920 * mebi, Bandwidth: 2.039e12, FLOPS: 312e12},
		{Name: "H200", Memory: 143771 * mebi, Bandwidth: 4.8e12, FLOPS: 989e12},
	}
}

// FindModel returns the model of that name, in any case, with or without an
// organisation before it: "Qwen/Qwen2.5-7B" is "Qwen2.5-7B".
func FindModel(name string) (Model, error) {
	return find("model", name, models(), func(m Model) string { return m.Name })
}

// FindGPU returns the GPU of that name, in any case.
func FindGPU(name string) (GPU, error) {
	return find("GPU", name, gpus(), func(g GPU) string { return g.Name })
}

func find[T any](kind, name string, all []T, nameOf func(T) string) (T, error) {
	base := name[strings.LastIndexByte(name, '/')+1:]
	i := slices.IndexFunc(all, func(t T) bool { return strings.EqualFold(nameOf(t), base) })
	if i >= 0 {
		return all[i], nil
	}
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = nameOf(t)
	}
	var none T
	return none, fmt.Errorf("unknown %s %q: use one of %s", kind, name, strings.Join(names, ", "))
}
