package monitor

import (
	"context"
	"fmt"
	"io"
	"sync"

	tea "charm.land/bubbletea/v2"
)

// A session takes rounds in, one at a time.
type session struct {
	state *State
	log   *timeline // nil: none
}

func (s *session) add(t Tick) error {
	s.state.Add(t)
	if s.log == nil {
		return nil
	}
	return s.log.record(s.state)
}

// print writes lines until ctx ends.
func (s *session) print(ctx context.Context, p *poller, to *plain) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if s.state.NoGPU != "" && s.state.URL != "" {
		if _, err := fmt.Fprintf(to.w, "# no GPU figures: %s\n", s.state.NoGPU); err != nil {
			return err
		}
	}
	p.run(ctx, func(t Tick) {
		if err = s.add(t); err == nil {
			err = to.print(s.state)
		}
		if err != nil {
			cancel()
		}
	})
	return err
}

// draw shows the screen until ctx ends or the user quits.
func (s *session) draw(ctx context.Context, p *poller, out io.Writer, colour bool) error {
	ctx, cancel := context.WithCancel(ctx)
	m := &screen{session: s, view: View{Width: 80, Height: 24, Colour: colour}}
	// A signal ends ctx; bubbletea's own handler would end without the summary.
	program := tea.NewProgram(m, tea.WithOutput(out), tea.WithoutSignalHandler())
	var polling sync.WaitGroup
	polling.Go(func() { p.run(ctx, func(t Tick) { program.Send(t) }) })
	polling.Go(func() { <-ctx.Done(); program.Quit() })
	_, err := program.Run()
	cancel()
	polling.Wait()
	if err != nil {
		return fmt.Errorf("the screen cannot be drawn (%w): use -plain", err)
	}
	return m.err
}

// A screen is a session on a terminal: what Screen draws, and the keys.
type screen struct {
	*session
	view View
	held *State // what is shown while Held
	err  error
}

// Init has nothing to do: rounds come from outside.
func (m *screen) Init() tea.Cmd { return nil }

// Update takes in a round, a key or a new size.
func (m *screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case Tick:
		if m.err = m.add(msg); m.err != nil {
			return m, tea.Quit
		}
	case tea.WindowSizeMsg:
		m.view.Width, m.view.Height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		return m, m.key(msg.String())
	}
	return m, nil
}

func (m *screen) key(key string) tea.Cmd {
	switch key {
	case "q", "ctrl+c":
		return tea.Quit
	case "tab":
		m.view.Page = (m.view.Page + 1) % pages
	case "shift+tab":
		m.view.Page = (m.view.Page + pages - 1) % pages
	case "1", "2", "3", "4":
		m.view.Page = Page(key[0] - '1')
	case "space":
		m.view.Held = !m.view.Held
		m.held = m.state.clone()
	}
	return nil
}

// View draws the whole terminal.
func (m *screen) View() tea.View {
	shown := m.state
	if m.view.Held {
		shown = m.held
	}
	v := tea.NewView(Screen(shown, m.view))
	v.AltScreen = true
	return v
}
