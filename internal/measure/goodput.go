package measure

// goodputMetrics tell how many requests met what their users were promised.
var goodputMetrics = []Metric{
	{"goodput-req/s", "higher", true, "requests that met every objective of -slo, per second of the window: of those that ended in it, in an open loop of those due in it"},
	{"slo-%", "higher", true, "the same as a share of all requests that ended in the window, in an open loop of those due in it; one that failed meets nothing"},
}

// OfSLO says whether only rows with an SLO have the metric.
func OfSLO(metric string) bool { return metric == "goodput-req/s" || metric == "slo-%" }

func (r *Run) goodput(t *table, s *sight) {
	sec := r.Window.Length().Seconds()
	if r.SLO.Zero() || sec <= 0 || s.due == 0 {
		return
	}
	t.put("goodput-req/s", float64(s.met)/sec, s.due)
	t.put("slo-%", 100*share(float64(s.met), float64(s.due)), s.due)
}
