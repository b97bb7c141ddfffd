package answers

// serverConfig is what is read of vLLM's /server_info beside the settings of
// engine.Info: what makes a server slow without anybody's asking for it. What
// the server does not tell is nil or "".
type serverConfig struct {
	Config struct {
		Model struct {
			EnforceEager *bool   `json:"enforce_eager"`
			Quantization *string `json:"quantization"`
		} `json:"model_config"`
		Device struct {
			Device string `json:"device"`
		} `json:"device_config"`
		Compilation struct {
			MaxGraph int `json:"max_cudagraph_capture_size"` // tokens; 0: unknown
		} `json:"compilation_config"`
	} `json:"vllm_config"`
}

// unquantised says that nothing speaks against weights as they were trained.
func (c *serverConfig) unquantised() bool {
	q := c.Config.Model.Quantization
	return q == nil || *q == ""
}
