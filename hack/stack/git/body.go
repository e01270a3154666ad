package git

import (
	"io"
	"net/http"
	"os"
)

// maxPush bounds the body of one request, in bytes.
const maxPush = 256 << 20

// withLength gives every request a length, which CGI needs and Git's own client
// does not send with a large push.
func withLength(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxPush)
		if r.ContentLength >= 0 {
			next.ServeHTTP(w, r)
			return
		}
		body, length, err := spool(r.Body)
		if err != nil {
			http.Error(w, "the request's body could not be kept: "+err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		defer body.Close()
		r = r.Clone(r.Context())
		r.Body, r.ContentLength, r.TransferEncoding = body, length, nil
		next.ServeHTTP(w, r)
	})
}

// spool copies a body to a file that vanishes when it is closed.
func spool(body io.Reader) (*os.File, int64, error) {
	file, err := os.CreateTemp("", "push-")
	if err != nil {
		return nil, 0, err
	}
	// The open file keeps the content.
	if err := os.Remove(file.Name()); err != nil {
		_ = file.Close()
		return nil, 0, err
	}
	length, err := io.Copy(file, body)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = file.Close()
		return nil, 0, err
	}
	return file, length, nil
}
