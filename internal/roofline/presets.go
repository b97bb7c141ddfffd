package roofline

import (
	"fmt"
	"slices"
	"strings"
)

// models holds the known shapes, from the config.json files of the Instruct
// models, which the models without that suffix share but for the context.
func models() []Model {
	return []Model{
		{
			Name: "Qwen2.5-0.5B", Layers: 24, Hidden: 896, Intermediate: 4864, Heads: 14, KVHeads: 2, HeadDim: 64,
			Vocab: 151936, Tied: true, QKVBias: true, MaxPositions: 32768, BytesPerWeight: 2, BytesPerKV: 2,
		},
		{
			Name: "Qwen2.5-7B", Layers: 28, Hidden: 3584, Intermediate: 18944, Heads: 28, KVHeads: 4, HeadDim: 128,
			Vocab: 152064, QKVBias: true, MaxPositions: 32768, BytesPerWeight: 2, BytesPerKV: 2,
		},
		{
			Name: "Qwen2.5-72B", Layers: 80, Hidden: 8192, Intermediate: 29568, Heads: 64, KVHeads: 8, HeadDim: 128,
			Vocab: 152064, QKVBias: true, MaxPositions: 32768, BytesPerWeight: 2, BytesPerKV: 2,
		},
		{
			Name: "Llama-3.1-8B", Layers: 32, Hidden: 4096, Intermediate: 14336, Heads: 32, KVHeads: 8, HeadDim: 128,
			Vocab: 128256, MaxPositions: 131072, BytesPerWeight: 2, BytesPerKV: 2,
		},
		{
			Name: "Llama-3.1-70B", Layers: 80, Hidden: 8192, Intermediate: 28672, Heads: 64, KVHeads: 8, HeadDim: 128,
			Vocab: 128256, MaxPositions: 131072, BytesPerWeight: 2, BytesPerKV: 2,
		},
	}
}

// A card is a GPU with the name that its driver gives it, less "NVIDIA ".
type card struct {
	GPU
	device string
}

const (
	mebi = 1 << 20
	mega = 1e6
	giga = 1e9
	tera = 1e12
)

// cards holds the known GPUs: bandwidth, operations/s and power from NVIDIA's
// data sheets of A100, H100, H200 and L4. Operations are dense; the last three
// sheets give the double, with sparsity. Links are half of the sheets' sums of
// both directions: NVLink of the SXM modules, else PCIe 4 or (H100) 5 with 16
// lanes. Memory and clocks are those that nvidia-smi reports.
func cards() []card {
	return []card{
		{GPU{"A100-80GB", 81920 * mebi, 2039 * giga, 312 * tera, 400, 1410 * mega, 1593 * mega, 300 * giga}, "A100-SXM4-80GB"},
		{GPU{"A100-80GB-PCIe", 81920 * mebi, 1935 * giga, 312 * tera, 300, 1410 * mega, 1512 * mega, 32 * giga}, "A100 80GB PCIe"},
		{GPU{"A100-40GB", 40960 * mebi, 1555 * giga, 312 * tera, 400, 1410 * mega, 1215 * mega, 300 * giga}, "A100-SXM4-40GB"},
		{GPU{"A100-40GB-PCIe", 40960 * mebi, 1555 * giga, 312 * tera, 250, 1410 * mega, 1215 * mega, 32 * giga}, "A100-PCIE-40GB"},
		{GPU{"H100", 81559 * mebi, 3350 * giga, 989 * tera, 700, 1980 * mega, 2619 * mega, 450 * giga}, "H100 80GB HBM3"},
		{GPU{"H100-PCIe", 81559 * mebi, 2000 * giga, 756 * tera, 350, 1755 * mega, 1593 * mega, 64 * giga}, "H100 PCIe"},
		{GPU{"H200", 143771 * mebi, 4800 * giga, 989 * tera, 700, 1980 * mega, 3201 * mega, 450 * giga}, "H200"},
		{GPU{"L4", 23034 * mebi, 300 * giga, 121 * tera, 72, 2040 * mega, 6251 * mega, 32 * giga}, "L4"},
	}
}

// FindModel returns the model of that name, in any case, with or without an
// organisation before it and "-Instruct" behind it: "Qwen/Qwen2.5-7B-Instruct"
// is "Qwen2.5-7B".
func FindModel(name string) (Model, error) {
	return find("model", name, models(), func(m Model) []string { return []string{m.Name, m.Name + "-Instruct"} })
}

// FindGPU returns the GPU of that name, in any case: "A100-80GB".
func FindGPU(name string) (GPU, error) {
	c, err := find("GPU", name, cards(), func(c card) []string { return []string{c.Name} })
	return c.GPU, err
}

// find returns the one of all that has the name, whose names are namesOf.
func find[T any](kind, name string, all []T, namesOf func(T) []string) (T, error) {
	base := name[strings.LastIndexByte(name, '/')+1:]
	first := make([]string, len(all))
	for i, t := range all {
		names := namesOf(t)
		if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, base) }) {
			return t, nil
		}
		first[i] = names[0]
	}
	var none T
	return none, fmt.Errorf("unknown %s %q: use one of %s", kind, name, strings.Join(first, ", "))
}
