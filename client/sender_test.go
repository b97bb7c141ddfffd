package client

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// A sender is a server of streams in a process of its own, so that its CPU
// time, allocations and garbage are not the client's. Its events have the shape and size of vLLM 0.32's.
type sender struct {
	cfg senderConfig

	mu      sync.Mutex
	streams []*sending
	sends   map[string][]send
}

type senderConfig struct {
	Interval time.Duration // between tokens, all streams on one beat as in a decode step; 0: as fast as they go
	Cuts     bool          // events are cut into writes at random places
}

// A send is one token event on its way: when its write began, by the wall
// clock, and how long the write took; and when the
// stream's request had come, by the kernel's stamp where there is one.
type send struct{ At, Took, Asked int64 } // nanoseconds

// A listener reads requests and notes when their bytes came.
type listener struct {
	net.Conn
	kernel *receiver // nil: no kernel stamps
	at     int64     // of the latest bytes, wall-clock nanoseconds
}

func (l *listener) Read(p []byte) (n int, err error) {
	var stamp int64
	if l.kernel != nil {
		n, stamp, err = l.kernel.read(p)
	} else {
		n, err = l.Conn.Read(p)
	}
	if l.at = stamp; stamp == 0 {
		l.at = time.Now().UnixNano()
	}
	return n, err
}

// A sending is one stream under way.
type sending struct {
	conn  net.Conn
	name  string // the prompt
	total int    // tokens
	sent  int
	asked int64 // wall-clock nanoseconds
	cuts  *rand.Rand
	done  chan struct{}
	sends []send
}

// senderMain is the child's main function. It lives until its standard input ends.
func senderMain(config string) {
	s := &sender{sends: map[string][]send{}}
	if err := json.Unmarshal([]byte(config), &s.cfg); err != nil {
		panic(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(ln.Addr())
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				panic(err)
			}
			go s.serve(conn)
		}
	}()
	if s.cfg.Interval > 0 {
		go s.beat()
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func (s *sender) serve(conn net.Conn) {
	defer conn.Close()
	asked := &listener{Conn: conn, kernel: newReceiver(conn)}
	in := bufio.NewReader(asked)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if req.Method == http.MethodGet {
			s.tell(conn)
			continue
		}
		var body struct {
			Prompt    any
			MaxTokens int `json:"max_tokens"`
		}
		if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
			panic(err)
		}
		_, _ = io.Copy(io.Discard, req.Body)
		st := &sending{conn: conn, name: fmt.Sprint(body.Prompt), total: body.MaxTokens, asked: asked.at, done: make(chan struct{})}
		if s.cfg.Cuts {
			st.cuts = rand.New(rand.NewPCG(uint64(body.MaxTokens), 1))
		}
		s.run(st)
	}
}

// run returns when the stream was sent.
func (s *sender) run(st *sending) {
	if s.cfg.Interval > 0 {
		s.mu.Lock()
		s.streams = append(s.streams, st)
		s.mu.Unlock()
		<-st.done
	} else {
		for !st.step() {
		}
	}
	s.mu.Lock()
	s.sends[st.name] = st.sends
	s.mu.Unlock()
}

// beat sends one token on every stream, each interval.
func (s *sender) beat() {
	for range time.Tick(s.cfg.Interval) {
		s.mu.Lock()
		now := s.streams
		s.streams = nil
		s.mu.Unlock()
		live := now[:0]
		for _, st := range now {
			if st.step() {
				close(st.done)
			} else {
				live = append(live, st)
			}
		}
		s.mu.Lock()
		s.streams = append(live, s.streams...)
		s.mu.Unlock()
	}
}

// tell answers with the send times of all streams, by name.
func (s *sender) tell(conn net.Conn) {
	s.mu.Lock()
	body, err := json.Marshal(s.sends)
	s.mu.Unlock()
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// step sends the next token, and after the last one the stream's end. It says whether that was all.
func (st *sending) step() (done bool) {
	if st.sent == 0 {
		st.write(streamHead)
	}
	st.sent++
	finish := "null"
	if st.sent == st.total {
		finish = `"length"`
	}
	event := chunked(fmt.Sprintf(vllmEvent, finish))
	began := time.Now()
	err := st.write(event)
	st.sends = append(st.sends, send{began.UnixNano(), int64(time.Since(began)), st.asked})
	if err != nil {
		return true
	}
	if st.sent < st.total {
		return false
	}
	st.write(chunked(fmt.Sprintf(vllmUsage, 3, 3+st.total, st.total)))
	st.write(chunked(doneEvent))
	st.write(lastChunk)
	return true
}

func (st *sending) write(s string) error {
	for st.cuts != nil && len(s) > 1 && st.cuts.IntN(3) > 0 {
		cut := 1 + st.cuts.IntN(len(s)-1)
		if _, err := io.WriteString(st.conn, s[:cut]); err != nil {
			return err
		}
		s = s[cut:]
	}
	_, err := io.WriteString(st.conn, s)
	return err
}

const (
	streamHead = "HTTP/1.1 200 OK\r\nserver: uvicorn\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
	lastChunk  = "0\r\n\r\n"
	doneEvent  = "data: [DONE]\n\n"
	vllmEvent  = `data: {"id":"cmpl-98c4c2b92b6b4bf9","object":"text_completion","created":1795446662,"model":"tiny","choices":[{"index":0,` +
		`"text":" hr","logprobs":null,"finish_reason":%s,"stop_reason":null,"prompt_token_ids":null,"token_ids":null}]}` + "\n\n"
	vllmUsage = `data: {"id":"cmpl-98c4c2b92b6b4bf9","object":"text_completion","created":1795446662,"model":"tiny","choices":[],` +
		`"usage":{"prompt_tokens":%d,"total_tokens":%d,"completion_tokens":%d},"system_fingerprint":"vllm-0.32.0-fd2e9705"}` + "\n\n"
)

// chunked wraps s as one chunk of HTTP/1.1's chunked coding.
func chunked(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }
