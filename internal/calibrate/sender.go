package calibrate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Sender serves streams of tokens, all on one beat as a server's decode steps
// are, with as little work as can be: one write a token. It prints its address
// on stdout and ends when stdin does, as a child's does with its parent.
func Sender(interval time.Duration, stdin io.Reader, stdout io.Writer) error {
	if interval <= 0 {
		return fmt.Errorf("the interval between tokens is %v: name one above 0", interval)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("the sender of tokens cannot listen: %w", err)
	}
	s := &sender{}
	fmt.Fprintf(stdout, "http://%s\n", l.Addr())
	stop := make(chan struct{})
	go s.beat(interval, stop)
	go func() {
		_, _ = io.Copy(io.Discard, stdin) // how it ended does not matter
		close(stop)
		l.Close()
	}()
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the sender of tokens cannot take a connection: %w", err)
		}
		go s.serve(conn)
	}
}

type sender struct {
	mu      sync.Mutex
	waiting []*stream // for the next beat
}

// A stream is one answer under way.
type stream struct {
	conn   net.Conn
	prompt int // tokens
	total  int // tokens
	sent   int
	done   chan struct{}
}

// serve answers the requests of one connection, one after the other.
func (s *sender) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		var body struct {
			Prompt    []int `json:"prompt"`
			MaxTokens int   `json:"max_tokens"`
		}
		err = json.NewDecoder(req.Body).Decode(&body)
		if _, rest := io.Copy(io.Discard, req.Body); err != nil || rest != nil || body.MaxTokens < 1 {
			_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
			return
		}
		st := &stream{conn: conn, prompt: len(body.Prompt), total: body.MaxTokens, done: make(chan struct{})}
		s.mu.Lock()
		s.waiting = append(s.waiting, st)
		s.mu.Unlock()
		<-st.done
	}
}

// beat sends one token on every stream, each interval.
func (s *sender) beat(interval time.Duration, stop <-chan struct{}) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var running []*stream
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		s.mu.Lock()
		running = append(running, s.waiting...)
		s.waiting = nil
		s.mu.Unlock()
		going := running[:0]
		for _, st := range running {
			if st.step() {
				close(st.done)
			} else {
				going = append(going, st)
			}
		}
		running = going
	}
}

// The parts of an answer, as vLLM 0.32 writes them.
const (
	header = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
	event  = `data: {"id":"cmpl-98c4c2b92b6b4bf9","object":"text_completion","created":1795446662,"model":"calibrate","choices":[{"index":0,` +
		`"text":" hr","logprobs":null,"finish_reason":%s,"stop_reason":null,"prompt_token_ids":null,"token_ids":null}]}` + "\n\n"
	usage = `data: {"id":"cmpl-98c4c2b92b6b4bf9","object":"text_completion","created":1795446662,"model":"calibrate","choices":[],` +
		`"usage":{"prompt_tokens":%d,"total_tokens":%d,"completion_tokens":%d}}` + "\n\n"
)

// step sends the next token, and says whether the answer is over.
func (st *stream) step() (over bool) {
	text, finish := "", "null"
	if st.sent == 0 {
		text = header
	}
	if st.sent++; st.sent == st.total {
		finish = `"length"`
	}
	text += chunked(fmt.Sprintf(event, finish))
	if st.sent == st.total {
		text += chunked(fmt.Sprintf(usage, st.prompt, st.prompt+st.total, st.total)) + chunked("data: [DONE]\n\n") + "0\r\n\r\n"
	}
	_, err := io.WriteString(st.conn, text)
	return err != nil || st.sent == st.total // who has gone needs no more
}

// chunked wraps s as one chunk of HTTP/1.1's chunked coding.
func chunked(s string) string { return strconv.FormatInt(int64(len(s)), 16) + "\r\n" + s + "\r\n" }
