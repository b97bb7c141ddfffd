package bench

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http/httptest"

	"vllmbench/client"
)

// secure has the server answer over TLS, too, with httptest's certificate for 127.0.0.1.
func (c *campaign) secure(config *client.Config) {
	s := httptest.NewTLSServer(nil)
	s.Close()
	config.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	config.TLS.RootCAs.AddCert(s.Certificate())
	own := &tls.Config{Certificates: s.TLS.Certificates}
	config.BaseURL = "https://" + c.listen(func(l net.Listener) net.Listener { return tlsListener{l, own} })
}

// A tlsListener's connections can be reset, which those of package tls cannot.
type tlsListener struct {
	net.Listener
	config *tls.Config
}

type tlsConn struct {
	*tls.Conn
	tcp *net.TCPConn
}

func (l tlsListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &tlsConn{tls.Server(conn, l.config), conn.(*net.TCPConn)}, nil
}

func (c *tlsConn) SetLinger(seconds int) error { return c.tcp.SetLinger(seconds) }
