package report

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
)

// A page is what the templates fill in.
type page struct {
	Doc        document
	Policy     string
	Style      template.CSS
	Library    template.JS
	Script     template.JS
	Data       template.JS
	ByID       map[string]*plot // the figures that stand beside an answer
	Drawn      map[string]bool  // IDs of all figures
	Places     []*plot          // the others
	Timed      []*plot          // those over time
	NoTimeline []string         // of which run something has none, and why
	all        []*plot
}

// pageBudget is up to how many bytes a page is filled with pictures. They are
// what is printed, and seen where scripts are off; all of them lie beside it too.
const pageBudget = 1_900_000

// HTML writes the page. pictures are SVG by the ID of their figure.
func (r *Report) HTML(w io.Writer, pictures map[string][]byte) error {
	templates, err := parse()
	if err != nil {
		return err
	}
	p := &page{Doc: r.doc, NoTimeline: r.noTimeline()}
	if err := p.load(); err != nil {
		return fmt.Errorf("reading the page's script and styles: %w", err)
	}
	var names []string
	for _, run := range r.runs {
		names = append(names, Clean(run.Name))
	}
	data, err := encode(newPageData(names, r.figures, r.timelines))
	if err != nil {
		return fmt.Errorf("encoding the page's data: %w", err)
	}
	p.Data = template.JS(data)
	p.arrange(r)
	var bare bytes.Buffer
	if err := templates.Execute(&bare, p); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	p.illustrate(pictures, pageBudget-bare.Len())
	if err := templates.Execute(w, p); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// illustrate puts pictures into the page, in its order, as long as there is
// room for so many bytes. What has none is printed as the script drew it.
func (p *page) illustrate(pictures map[string][]byte, room int) {
	for _, place := range p.all {
		if svg := inline(pictures[place.ID]); len(svg) <= room {
			room -= len(svg)
			place.Picture = template.HTML(svg)
		}
	}
}

// load fills in script, styles and the policy that names them.
func (p *page) load() error {
	library, err := asset(libraryFile)
	if err != nil {
		return err
	}
	licence, err := asset(licenceFile)
	if err != nil {
		return err
	}
	library = "/*\n" + licence + "*/\n" + library // whoever passes the page on passes it on too
	script, err := asset(scriptFiles...)
	if err != nil {
		return err
	}
	style, err := asset(styleFiles...)
	if err != nil {
		return err
	}
	p.Library, p.Script, p.Style = template.JS(library), template.JS(script), template.CSS(style)
	p.Policy = policy(library, script)
	return nil
}

// arrange puts each plot where it belongs: beside the first answer that it
// shows, among those over time, or with the rest.
func (p *page) arrange(r *Report) {
	p.ByID, p.Drawn = map[string]*plot{}, map[string]bool{}
	answer := map[string]string{}
	for _, q := range r.doc.Questions {
		if answer[q.Figure] == "" && len(q.Said) > 0 {
			lead := q.Said[0].Lead
			answer[q.Figure] = lead.Before + lead.Number + lead.After
		}
	}
	p.all = r.plots()
	for _, place := range p.all {
		p.Drawn[place.ID] = true
		place.Label = place.Title
		if text := answer[place.ID]; text != "" {
			place.Label += " " + text
		}
		switch {
		case place.timed:
			p.Timed = append(p.Timed, place)
		case answer[place.ID] != "":
			p.ByID[place.ID] = place
		default:
			p.Places = append(p.Places, place)
		}
	}
}
