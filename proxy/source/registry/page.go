package registry

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// doubt marks, in the fragment that nobody is sent, a link that the registry has
// not given.
const doubt = "#doubt"

// doubted returns a page of a list of tags as it is, unless it is full and names
// no next one: that may be the end, or a registry that knows no links. Then it
// gets the link that such a registry would give, so that it is asked for what
// comes after.
func doubted(req *http.Request, res *http.Response) error {
	wanted, err := strconv.Atoi(req.URL.Query().Get("n"))
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Link") != "" {
		return nil //nolint:nilerr // it is no page whose size was asked for
	}
	raw, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		return err
	}
	res.Body = io.NopCloser(bytes.NewReader(raw))
	var page struct {
		Tags []string `json:"tags"`
	}
	_ = json.Unmarshal(raw, &page) // who reads it finds out what it is
	if len(page.Tags) == 0 || len(page.Tags) < wanted {
		return nil
	}
	next := url.Values{"n": {strconv.Itoa(wanted)}, "last": {page.Tags[len(page.Tags)-1]}}
	res.Header.Set("Link", "<"+req.URL.EscapedPath()+"?"+next.Encode()+doubt+`>; rel="next"`)
	return nil
}
