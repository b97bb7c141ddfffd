package bench

import (
	"crypto/tls"
	"flag"
	"regexp"
)

// believed is what certificates are held against.
func believed() (*tls.Config, error) {
	t := flags.trust
	if t.CA != "" {
		t.CA = fromRoot(t.CA)
	}
	return t.TLS()
}

// userInfo is the part of a URL, an exporter's say, that may hold a password.
var userInfo = regexp.MustCompile(`//[^/\s]*@`)

// flagsSaid are all flags with their values, for the record: no secret is among them.
func flagsSaid() map[string]string {
	said := map[string]string{}
	flag.VisitAll(func(f *flag.Flag) {
		if f.Name != "api-key" && f.Value.String() != "" {
			said[f.Name] = userInfo.ReplaceAllString(f.Value.String(), "//[user]@")
		}
	})
	return said
}
