package monitor

import "strings"

var blocks = []rune(" ▁▂▃▄▅▆▇█")

// sparkline draws cells as columns of the given height in lines, on a scale
// from 0 to top, right-aligned in width. A cell without a number is a space, 0
// is the lowest block, and the highest leaves a gap to the line above.
func sparkline(cells []cell, q quantity, top float64, width, height int) []string {
	lines := make([]strings.Builder, height)
	cells = cells[max(0, len(cells)-width):]
	for i := range lines {
		lines[i].WriteString(strings.Repeat(" ", width-len(cells)))
	}
	steps := 8*height - 1
	for _, c := range cells {
		level := 0
		if c.known {
			level = 1
			if top > 0 {
				level = min(max(1, int(q.shown(c.n)/top*float64(steps)+0.5)), steps)
			}
		}
		for i := range lines {
			below := 8 * (height - 1 - i)
			lines[i].WriteRune(blocks[min(max(level-below, 0), 8)])
		}
	}
	out := make([]string, height)
	for i := range lines {
		out[i] = lines[i].String()
	}
	return out
}

// digits are drawn on 3 x 5 points, the rows from the top, 4 for the left point.
var digits = map[rune][5]uint8{
	'0': {7, 5, 5, 5, 7}, '1': {2, 6, 2, 2, 7}, '2': {7, 1, 7, 4, 7}, '3': {7, 1, 7, 1, 7}, '4': {5, 5, 7, 1, 1},
	'5': {7, 4, 7, 1, 7}, '6': {7, 4, 7, 5, 7}, '7': {7, 1, 1, 1, 1}, '8': {7, 5, 7, 5, 7}, '9': {7, 5, 7, 1, 7},
	'.': {0, 0, 0, 0, 2}, '/': {1, 1, 2, 4, 4}, '-': {0, 0, 7, 0, 0}, 'k': {4, 5, 6, 5, 5}, 'M': {5, 7, 7, 5, 5}, '<': {1, 2, 4, 2, 1},
}

// bigLines is the height of large figures: five rows of points, two to a line.
const bigLines = 3

// big draws a figure in three lines, or returns false if it has a character
// that has no drawing or is wider than width.
func big(s string, width int) ([bigLines]string, bool) {
	var lines [bigLines]string
	for i, r := range s {
		d, ok := digits[r]
		if !ok {
			return lines, false
		}
		w := 3
		if r == '.' {
			w = 1
			for y := range d {
				d[y] <<= 1
			}
		}
		for l := range lines {
			if i > 0 {
				lines[l] += " "
			}
			upper, lower := d[2*l], uint8(0)
			if 2*l+1 < len(d) {
				lower = d[2*l+1]
			}
			for x := range w {
				bit := uint8(4 >> x)
				lines[l] += string([]rune(" ▄▀█")[half(upper&bit)*2+half(lower&bit)])
			}
		}
	}
	return lines, len([]rune(lines[0])) <= width
}

func half(bit uint8) int { return int(min(bit, 1)) }
