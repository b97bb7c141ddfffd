package ab

// A turn is the place of a leg in the run. Blocks, legs and numbers count from 1.
type turn struct {
	side   int // 0 is A, 1 is B
	leg    int // in the run
	block  int
	number int // on its side
}

// order returns the turns of a run: blocks of A B B A and B A A B alternately.
func order(blocks int) []turn {
	var out []turn
	var numbers [2]int
	for block := range blocks {
		for i := range 4 {
			side := block % 2
			if i == 1 || i == 2 {
				side = 1 - side
			}
			numbers[side]++
			out = append(out, turn{side: side, leg: len(out) + 1, block: block + 1, number: numbers[side]})
		}
	}
	return out
}
