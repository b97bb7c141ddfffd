package figure

import (
	"image/color"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// px is a pixel of a picture, of which 96 are an inch.
const px = vg.Inch / 96

// Sizes of pictures and of the text in them, chosen to be read at half size.
const (
	width  = 1000 * px
	height = 620 * px

	titleSize = 21 * px
	axisSize  = 18 * px
	labelSize = 17 * px
	noteSize  = 13.5 * px
	leastSize = 10 * px // of labels that are many
)

func grey(y uint8) color.Color { return color.Gray{Y: y} }

// colour is that of a run everywhere: those of Okabe and Ito that are dark
// enough on white, of different lightness next to each other.
func colour(run int) color.Color {
	palette := []color.RGBA{
		{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255}, {86, 180, 233, 255}, {230, 159, 0, 255},
	}
	if run < 0 {
		return grey(110)
	}
	return palette[run%len(palette)]
}

// ink is the colour of a run's text: darker, since text is thinner than a line.
func ink(run int) color.Color {
	r, g, b, _ := colour(run).RGBA()
	dark := func(v uint32) uint8 { return uint8(v >> 8 * 3 / 4) }
	return color.RGBA{dark(r), dark(g), dark(b), 255}
}

// dashes tell the lines of two runs apart without colour.
func dashes(run int) []vg.Length {
	all := [][]vg.Length{nil, {9 * px, 4 * px}, {2.5 * px, 3.5 * px}, {12 * px, 3 * px, 2.5 * px, 3 * px}, {5 * px, 2.5 * px}}
	return all[max(run, 0)%len(all)]
}

// dense is the number of points above which a line is drawn thinner.
const dense = 400

// stroke is how a line of a role looks.
func stroke(l Line) draw.LineStyle {
	s := draw.LineStyle{Color: colour(l.Run), Width: 2.4 * px, Dashes: dashes(l.Run)}
	switch l.Role {
	case Data, Step:
		if l.Run < 0 || len(l.Points) > dense { // the second quantity of a run's figure; a line that is up and down
			s.Width = 1.3 * px
		}
		if l.Run > 0 { // drawn over the runs before, which must stay visible below
			s.Width = 1.8 * px
		}
	case Server:
		s.Width, s.Dashes = 1.2*px, []vg.Length{3 * px, 2 * px}
	case Fit:
		s.Width, s.Dashes = 1.2*px, []vg.Length{1.5 * px, 2.5 * px}
	case Ideal:
		s.Width, s.Dashes = 1.3*px, []vg.Length{7 * px, 4 * px}
	case Floor:
		s.Width, s.Dashes = 1.1*px, nil
	}
	return s
}

// letters is a style of text.
func letters(size vg.Length, c color.Color) text.Style {
	return text.Style{
		Color: c, Font: font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, size),
		XAlign: draw.XLeft, YAlign: draw.YBottom, Handler: plot.DefaultTextHandler,
	}
}

func bold(s text.Style) text.Style {
	s.Font.Weight = xfont.WeightBold
	return s
}

// fit cuts s at its end until it is no wider than w.
func fit(style text.Style, s string, w vg.Length) string {
	if style.Width(s) <= w {
		return s
	}
	runes := []rune(s)
	for len(runes) > 0 && style.Width(string(runes)+"…") > w {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}
