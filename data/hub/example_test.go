package hub_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/cgbg-go/lab/data/hub"
)

// Any server that speaks the hub's protocol will do.
func ExampleClient_Fetch() {
	content := []byte("frames")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Linked-ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(content)))
		w.Header().Set("X-Linked-Size", fmt.Sprint(len(content)))
		w.Write(content)
	}))
	defer server.Close()
	cache, err := os.MkdirTemp("", "hub")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(cache)
	client := hub.Client{Endpoint: server.URL, Cache: cache}
	path, err := client.Fetch(context.Background(), "owner/set", "main", "frames.npz")
	if err != nil {
		fmt.Println(err)
		return
	}
	kept, err := os.ReadFile(path)
	fmt.Printf("%s %v\n", kept, err)
	// Output: frames <nil>
}
