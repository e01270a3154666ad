package receiver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-cd/waybill/extension/pipeline"
	"github.com/waybill-cd/waybill/extension/selection"
)

const secret = "a secret of some length"

// receiverOf makes a receiver named hub.
func receiverOf(t testing.TB, kind Kind, expression string) *Receiver {
	t.Helper()
	data := map[string][]byte{KeySecret: []byte(secret)}
	if kind == Generic {
		data[KeyExpression] = []byte(expression)
	}
	r, err := New("hub", string(kind), data)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func payload(t testing.TB, path string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", path))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func TestAPayloadTellsWhatWasPushed(t *testing.T) {
	t.Parallel()
	github := []string{"https://github.com/Example/shop.git", "git@github.com:Example/shop.git", "https://github.com/Example/shop"}
	gitlab := []string{"https://gitlab.example.com/team/shop.git", "git@gitlab.example.com:team/shop.git", "https://gitlab.example.com/team/shop"}
	gitea := []string{"https://gitea.example.com/git/team/shop.git", "ssh://git@gitea.example.com:2222/team/shop.git", "https://gitea.example.com/git/team/shop"}
	for _, c := range []struct {
		kind   Kind
		file   string
		header http.Header
		want   []selection.Push
	}{
		{GitHub, "push.json", headers("X-GitHub-Event", "push"), []selection.Push{{
			RepoURLs: github, Branch: "main", DefaultBranch: "main",
			Paths: []string{"docs/shop.md", "README.md", "docs/old.md", "deploy/prod/replicas.yaml"},
		}}},
		{GitHub, "push-tag.json", headers("X-GitHub-Event", "push"), []selection.Push{{RepoURLs: github, DefaultBranch: "main", Tags: []string{"v1.2.0"}}}},
		{GitHub, "package.json", headers("X-GitHub-Event", "package"), []selection.Push{{RepoURLs: []string{"ghcr.io/example/shop"}, Tags: []string{"v1.2.0"}}}},
		{GitHub, "registry-package.json", headers("X-GitHub-Event", "registry_package"), []selection.Push{{RepoURLs: []string{"ghcr.io/example/shop"}}}},
		{GitHub, "npm.json", headers("X-GitHub-Event", "registry_package"), nil},
		{GitHub, "ping.json", headers("X-GitHub-Event", "ping"), nil},
		{GitHub, "push.json", headers("X-GitHub-Event", "workflow_run"), nil},
		{GitHub, "push.json", nil, nil},
		{GitLab, "push.json", nil, []selection.Push{{RepoURLs: gitlab, Branch: "main", DefaultBranch: "main"}}},
		{GitLab, "system-push.json", nil, []selection.Push{{RepoURLs: gitlab, Branch: "main", DefaultBranch: "main"}}},
		{GitLab, "tag-push.json", nil, []selection.Push{{RepoURLs: gitlab, Tags: []string{"v1.2.0"}, DefaultBranch: "main"}}},
		{GitLab, "issue.json", nil, nil},
		{Gitea, "push.json", headers("X-Gitea-Event", "push"), []selection.Push{{RepoURLs: gitea, Branch: "main", DefaultBranch: "main"}}},
		{Gitea, "push.json", headers("X-Forgejo-Event", "push", "X-Gitea-Event", "push"), []selection.Push{{RepoURLs: gitea, Branch: "main", DefaultBranch: "main"}}},
		{Gitea, "push.json", headers("X-Gitea-Event", "issues"), nil},
		{Gitea, "package.json", headers("X-Gitea-Event", "package"), []selection.Push{{RepoURLs: []string{"gitea.example.com/team/shop/api"}, Tags: []string{"v1.2.0"}}}},
		{Gitea, "package-untagged.json", headers("X-Gitea-Event", "package"), []selection.Push{{RepoURLs: []string{"gitea.example.com/team/shop/api"}}}},
		{Gitea, "package-helm.json", headers("X-Gitea-Event", "package"), []selection.Push{{RepoURLs: []string{"https://gitea.example.com/git/api/packages/team/helm"}}}},
		{Gitea, "package-npm.json", headers("X-Gitea-Event", "package"), nil},
		{DockerHub, "push.json", nil, []selection.Push{{RepoURLs: []string{"docker.io/example/shop"}, Tags: []string{"v1.2.0"}}}},
		{Harbor, "push-artifact.json", nil, []selection.Push{{RepoURLs: []string{"harbor.example.com:8443/team/shop"}, Tags: []string{"v1.2.0"}}}},
		{Harbor, "cloudevents.json", nil, []selection.Push{{RepoURLs: []string{"harbor.example.com/team/shop"}}}},
		{Harbor, "pull-artifact.json", nil, nil},
		{Quay, "push.json", nil, []selection.Push{{RepoURLs: []string{"quay.io/team/shop"}, Tags: []string{"latest", "v1.2.0"}}}},
		{Quay, "build.json", nil, nil},
	} {
		t.Run(fmt.Sprintf("%s %s %v", c.kind, c.file, c.header), func(t *testing.T) {
			t.Parallel()
			got, err := receiverOf(t, c.kind, "").Pushes(c.header, payload(t, string(c.kind)+"/"+c.file))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAFormIsReadAsJSONIs(t *testing.T) {
	t.Parallel()
	body := []byte(url.Values{"payload": {string(payload(t, "github/push-tag.json"))}}.Encode())
	h := headers("X-GitHub-Event", "push", "Content-Type", "application/x-www-form-urlencoded")
	got, err := receiverOf(t, GitHub, "").Pushes(h, body)
	if err != nil || len(got) != 1 || got[0].Tags[0] != "v1.2.0" {
		t.Errorf("it gives %+v, %v", got, err)
	}
	if _, err := receiverOf(t, GitHub, "").Pushes(h, []byte("%zz")); err == nil {
		t.Error("what is no form is no error")
	}
}

// edited is a payload with one field changed, by its path.
func edited(t testing.TB, body []byte, value any, path ...string) []byte {
	t.Helper()
	var document map[string]any
	if err := json.Unmarshal(body, &document); err != nil {
		t.Fatal(err)
	}
	at := document
	for _, key := range path[:len(path)-1] {
		at = at[key].(map[string]any)
	}
	if at[path[len(path)-1]] = value; value == nil {
		delete(at, path[len(path)-1])
	}
	out, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPathsCountOnlyWhereTheyAreSurelyAll(t *testing.T) {
	t.Parallel()
	push := payload(t, "github/push.json")
	commit := map[string]any{"added": []string{"docs/a.md"}}
	commits := func(n int) []any {
		all := make([]any, n)
		for i := range all {
			all[i] = commit
		}
		return all
	}
	for name, c := range map[string]struct {
		body []byte
		want bool
	}{
		"as it is":                       {push, true},
		"nineteen commits":               {edited(t, push, commits(19), "commits"), true},
		"twenty commits":                 {edited(t, push, commits(20), "commits"), false},
		"a commit with very many files":  {edited(t, push, []any{map[string]any{"modified": make([]string, 300)}}, "commits"), false},
		"a commit without files":         {edited(t, push, []any{commit, map[string]any{}}, "commits"), false},
		"no commits":                     {edited(t, push, []any{}, "commits"), false},
		"a new branch":                   {edited(t, push, true, "created"), false},
		"a branch that is gone":          {edited(t, push, true, "deleted"), false},
		"a push by force":                {edited(t, push, true, "forced"), false},
		"it is unknown whether by force": {edited(t, push, nil, "forced"), false},
	} {
		got, err := receiverOf(t, GitHub, "").Pushes(headers("X-GitHub-Event", "push"), c.body)
		if err != nil || len(got) != 1 || (got[0].Paths != nil) != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestAPayloadOfAnotherFormIsAnErrorThatTellsNothingOfIt(t *testing.T) {
	t.Parallel()
	push := headers("X-GitHub-Event", "push", "X-Gitea-Event", "push")
	pkg := headers("X-GitHub-Event", "package", "X-Gitea-Event", "package")
	for _, c := range []struct {
		kind   Kind
		header http.Header
		body   string
	}{
		{GitHub, push, `{"ref": "refs/heads/confidential"}`},
		{GitHub, push, `{"repository": {"clone_url": "https://confidential.example.com/x"}}`},
		{GitHub, push, `{"ref": ["confidential"]}`},
		{GitHub, push, `confidential`},
		{GitHub, push, ``},
		{GitHub, pkg, `{}`},
		{GitHub, pkg, `{"package": {"package_type": "CONTAINER"}}`},
		{GitLab, nil, `{"object_kind": "push"}`},
		{GitLab, nil, `[]`},
		{Gitea, push, `{}`},
		{Gitea, pkg, `{"package": {"type": "container", "name": "confidential", "html_url": ":confidential"}}`},
		{DockerHub, nil, `{}`},
		{DockerHub, nil, `{"repository": "confidential"}`},
		{Harbor, nil, `{"type": "PUSH_ARTIFACT"}`},
		{Harbor, nil, `{"type": "PUSH_ARTIFACT", "event_data": {"resources": [{"tag": "confidential"}]}}`},
		{Harbor, nil, `{"type": "PUSH_ARTIFACT", "event_data": {"resources": [` + strings.Repeat(`{"resource_url": "a/b"},`, 100) + `{}]}}`},
		{Quay, nil, `{"updated_tags": []}`},
		{Quay, nil, `{"updated_tags": "confidential"}`},
		{Generic, nil, `confidential`},
	} {
		got, err := receiverOf(t, c.kind, "request.body").Pushes(c.header, []byte(c.body))
		if err == nil || got != nil || strings.Contains(err.Error(), "confidential") {
			t.Errorf("%s %s: %+v, %v", c.kind, c.body, got, err)
		}
	}
}

func TestARefThatIsNoBranchOrTagConcernsNobody(t *testing.T) {
	t.Parallel()
	for _, ref := range []string{"refs/notes/commits", "refs/heads/", "refs/tags/", "main"} {
		body := edited(t, payload(t, "gitlab/push.json"), ref, "ref")
		if got, err := receiverOf(t, GitLab, "").Pushes(nil, body); err != nil || got != nil {
			t.Errorf("%s: %+v, %v", ref, got, err)
		}
	}
}

func TestVeryManyTagsAreAsGoodAsUnknown(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{maxTags: maxTags, maxTags + 1: 0} {
		got, err := receiverOf(t, Quay, "").Pushes(nil, edited(t, payload(t, "quay/push.json"), make([]string, n), "updated_tags"))
		if err != nil || len(got) != 1 || len(got[0].Tags) != want {
			t.Errorf("of %d tags: %v", n, err)
		}
	}
}

func TestEveryRecipeFindsTheRepositoryOfItsSender(t *testing.T) {
	t.Parallel()
	git := func(repoURL string) pipeline.Subscription {
		return pipeline.Subscription{Git: &pipeline.GitSubscription{RepoURL: repoURL}}
	}
	image := func(repoURL string) pipeline.Subscription {
		return pipeline.Subscription{Image: &pipeline.ImageSubscription{RepoURL: repoURL}}
	}
	cases := map[string]struct {
		header http.Header
		want   pipeline.Subscription
	}{
		"amazon-ecr":               {nil, image("123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/shop")},
		"artifactory":              {nil, image("example.jfrog.io/docker-local/team/shop")},
		"aws-codecommit":           {nil, git("https://git-codecommit.eu-central-1.amazonaws.com/v1/repos/shop")},
		"azure-container-registry": {nil, image("example.azurecr.io/shop")},
		"azure-devops":             {nil, git("https://dev.azure.com/example/team/_git/shop")},
		"bitbucket-cloud":          {headers("X-Event-Key", "repo:push"), git("https://bitbucket.org/team/shop.git")},
		"bitbucket-data-center":    {headers("X-Event-Key", "repo:refs_changed"), git("https://bitbucket.example.com/scm/team/shop.git")},
		"distribution":             {nil, image("registry.example.com:5000/team/shop")},
		"google-artifact-registry": {nil, image("europe-docker.pkg.dev/example/team/shop")},
		"nexus":                    {nil, image("nexus.example.com:8082/team/shop")},
	}
	recipes, err := Recipes()
	if err != nil || len(recipes) != len(cases) {
		t.Fatalf("there are %d recipes and %d cases, %v", len(recipes), len(cases), err)
	}
	for _, recipe := range recipes {
		t.Run(recipe.Name, func(t *testing.T) {
			t.Parallel()
			c := cases[recipe.Name]
			got, err := receiverOf(t, Generic, recipe.Expression).Pushes(c.header, payload(t, "recipes/"+recipe.Name+".json"))
			if err != nil || len(got) == 0 {
				t.Fatalf("it gives %+v, %v", got, err)
			}
			concerned := false
			for _, push := range got {
				concerned = concerned || push.Concerns(c.want)
			}
			if !concerned {
				t.Errorf("%+v does not concern %+v %+v", got, c.want.Git, c.want.Image)
			}
			if recipe.Sender == "" || recipe.Setup == "" || !slices.Contains([]string{ProofSignature, ProofAuthorization, ProofPath}, recipe.Proof) {
				t.Errorf("it lacks something: %+v", recipe)
			}
		})
	}
}

func TestARecipePassesOverOtherEvents(t *testing.T) {
	t.Parallel()
	recipes, err := Recipes()
	if err != nil {
		t.Fatal(err)
	}
	other := map[string]struct {
		path  []string
		value string
	}{
		"amazon-ecr":               {[]string{"detail", "action-type"}, "DELETE"},
		"artifactory":              {[]string{"event_type"}, "deleted"},
		"aws-codecommit":           {[]string{"detail-type"}, "CodeCommit Pull Request State Change"},
		"azure-container-registry": {[]string{"action"}, "delete"},
		"azure-devops":             {[]string{"eventType"}, "git.pullrequest.created"},
		"bitbucket-cloud":          {[]string{"x"}, "x"}, // by its header
		"bitbucket-data-center":    {[]string{"x"}, "x"},
		"google-artifact-registry": {[]string{"message", "data"}, "eyJhY3Rpb24iOiJERUxFVEUifQ=="},
		"nexus":                    {[]string{"action"}, "DELETED"},
	}
	for _, recipe := range recipes {
		c, has := other[recipe.Name]
		if !has {
			continue // its payload holds another event already
		}
		body := edited(t, payload(t, "recipes/"+recipe.Name+".json"), c.value, c.path...)
		if got, err := receiverOf(t, Generic, recipe.Expression).Pushes(nil, body); err != nil || len(got) != 0 {
			t.Errorf("%s: %+v, %v", recipe.Name, got, err)
		}
	}
}
