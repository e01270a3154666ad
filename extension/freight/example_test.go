package freight_test

import (
	"fmt"
	"strings"

	"github.com/waybill-cd/waybill/extension/freight"
)

// The ID is the hash of the content, so the same image is the same freight
// however its repository is written.
func ExampleID() {
	digest := "sha256:" + strings.Repeat("a", 64)
	for _, repo := range []string{"nginx", "https://index.docker.io/library/nginx/"} {
		id := freight.ID("waybill/shop", "shop", freight.Artifacts{
			Images: []freight.Image{{RepoURL: repo, Tag: "1.27", Digest: digest}},
		})
		fmt.Println(freight.Short(id), freight.ImageRepository(repo))
	}
	// Output:
	// 8bd2540 docker.io/library/nginx
	// 8bd2540 docker.io/library/nginx
}

func ExampleFind() {
	all := []freight.Freight{
		{ID: "7d3f0c1e", Artifacts: freight.Artifacts{Images: []freight.Image{{Tag: "v1.4.2"}}}},
		{ID: "7d3f9aa0", Artifacts: freight.Artifacts{Images: []freight.Image{{Tag: "v1.4.3"}}}},
	}
	for _, name := range []string{"v1.4.2", "7d3f9", "7d3f"} {
		if found, err := freight.Find(all, name); err != nil {
			fmt.Println(err)
		} else {
			fmt.Println(found.ID)
		}
	}
	// Output:
	// 7d3f0c1e
	// 7d3f9aa0
	// "7d3f" could be freight 7d3f0c1 or 7d3f9aa: name its alias, or more digits of its ID
}

func ExampleArtifacts_Summary() {
	fmt.Println(freight.Artifacts{
		Images:  []freight.Image{{RepoURL: "registry.example.com/shop", Tag: "v1.4.2"}},
		Commits: []freight.Commit{{RepoURL: "https://git.example.com/shop.git", ID: "4b1c27c0a1b2c3d4e5f60718293a4b5c6d7e8f90"}},
		Charts:  []freight.Chart{{RepoURL: "oci://registry.example.com/charts/db", Version: "2.1.0"}},
	}.Summary())
	// Output: shop:v1.4.2, shop 4b1c27c, db 2.1.0
}
