package store_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/waybill-cd/waybill/proxy/store"
)

// secret makes a Secret in Argo CD's format, whose password is its name.
func secret(name, kind, url string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{store.LabelSecretType: kind}},
		Data:       map[string][]byte{"url": []byte(url), "username": []byte("git"), "password": []byte(name)},
	}
}

func in(namespace string, s *corev1.Secret) *corev1.Secret {
	s.Namespace = namespace
	return s
}

func without(s *corev1.Secret, keys ...string) *corev1.Secret {
	for _, key := range keys {
		delete(s.Data, key)
	}
	return s
}

func TestTheCredentialsOfARepository(t *testing.T) {
	const repo = "https://git.example.com/team/shop.git"
	for name, test := range map[string]struct {
		secrets []client.Object
		repo    string
		want    string // password, empty for none
	}{
		"none":                   {nil, repo, ""},
		"its own":                {[]client.Object{secret("a", "repository", repo)}, repo, "a"},
		"its own spelled anew":   {[]client.Object{secret("a", "repository", "https://GIT.example.com:443/team/shop/")}, repo, "a"},
		"another repository's":   {[]client.Object{secret("a", "repository", "https://git.example.com/team/shop-2.git")}, repo, ""},
		"below its own":          {[]client.Object{secret("a", "repository", "https://git.example.com/team")}, repo, ""},
		"another scheme":         {[]client.Object{secret("a", "repository", "http://git.example.com/team/shop.git")}, repo, ""},
		"a prefix":               {[]client.Object{secret("a", "repo-creds", "https://git.example.com/team")}, repo, "a"},
		"a prefix with a slash":  {[]client.Object{secret("a", "repo-creds", "https://git.example.com/team/")}, repo, "a"},
		"the whole as prefix":    {[]client.Object{secret("a", "repo-creds", repo)}, repo, "a"},
		"a host":                 {[]client.Object{secret("a", "repo-creds", "https://git.example.com")}, repo, "a"},
		"a host spelled anew":    {[]client.Object{secret("a", "repo-creds", "https://robot@GIT.example.com:443/")}, repo, "a"},
		"half a part of a path":  {[]client.Object{secret("a", "repo-creds", "https://git.example.com/te")}, repo, ""},
		"half a host":            {[]client.Object{secret("a", "repo-creds", "https://git.example.co")}, repo, ""},
		"no host":                {[]client.Object{secret("a", "repo-creds", "https://")}, repo, ""},
		"a scheme alone":         {[]client.Object{secret("a", "repo-creds", "https:")}, repo, ""},
		"an empty url":           {[]client.Object{secret("a", "repo-creds", ""), secret("b", "repository", "")}, repo, ""},
		"no url":                 {[]client.Object{without(secret("a", "repo-creds", ""), "url")}, repo, ""},
		"another host":           {[]client.Object{secret("a", "repo-creds", "https://git.example.com")}, "https://git.example.com.evil.org/team/shop.git", ""},
		"the host as a user":     {[]client.Object{secret("a", "repo-creds", "https://git.example.com")}, "https://git.example.com@evil.org/team/shop.git", ""},
		"the host as a password": {[]client.Object{secret("a", "repo-creds", "https://git.example.com")}, "https://git.example.com:x@evil.org/team/shop.git", ""},
		"a host in .git":         {[]client.Object{secret("a", "repo-creds", "https://my.git")}, "https://my.git/team/shop.git", "a"},
		"a host without .git":    {[]client.Object{secret("a", "repo-creds", "https://my.git")}, "https://my/team/shop.git", ""},
		"another port":           {[]client.Object{secret("a", "repo-creds", "https://git.example.com")}, "https://git.example.com:8443/team/shop.git", ""},
		"the longest prefix": {[]client.Object{
			secret("a", "repo-creds", "https://git.example.com"), secret("b", "repo-creds", "https://git.example.com/team"), secret("c", "repo-creds", "https://git.example.com/other/path"),
		}, repo, "b"},
		"its own before any prefix": {[]client.Object{secret("a", "repo-creds", repo), secret("b", "repository", repo)}, repo, "b"},
		"its own without any, as Argo CD has it": {[]client.Object{
			without(secret("a", "repository", repo), "username", "password"), secret("b", "repo-creds", "https://git.example.com/team"),
		}, repo, "b"},
		"two that say the same": {[]client.Object{secret("b", "repository", repo), secret("a", "repository", repo), secret("c", "repo-creds", repo)}, repo, "a"},
		"of another namespace":  {[]client.Object{in("argocd", secret("a", "repository", repo)), in("argocd", secret("b", "repo-creds", repo))}, repo, ""},
		"of another kind":       {[]client.Object{secret("a", "cluster", repo), secret("b", "repository-write", repo)}, repo, ""},
	} {
		t.Run(name, func(t *testing.T) {
			user, password, err := newCluster(t, test.secrets...).store().Git(t.Context(), test.repo)
			must(t, err)
			if password != test.want || (user == "git") != (test.want != "") {
				t.Errorf("got user %q, password %q, want password %q", user, password, test.want)
			}
		})
	}
}

// ofCharts makes a Secret one for charts.
func ofCharts(s *corev1.Secret, more ...string) *corev1.Secret {
	s.Data["type"] = []byte("helm")
	for _, key := range more {
		s.Data[key] = []byte("true")
	}
	return s
}

func TestTheCredentialsOfAChartRepository(t *testing.T) {
	const https, oci = "https://charts.example.com/stable", "oci://registry.example.com/charts/db"
	for name, test := range map[string]struct {
		secrets []client.Object
		repo    string
		want    string // the Secret's name and password, empty for none
	}{
		"its own":                      {[]client.Object{ofCharts(secret("a", "repository", https))}, https, "a"},
		"its own spelled anew":         {[]client.Object{ofCharts(secret("a", "repository", "https://CHARTS.example.com/stable/"))}, https, "a"},
		"a prefix":                     {[]client.Object{ofCharts(secret("a", "repo-creds", "https://charts.example.com"))}, https, "a"},
		"half a part of a path":        {[]client.Object{ofCharts(secret("a", "repo-creds", "https://charts.example.com/sta"))}, https, ""},
		"of Git":                       {[]client.Object{secret("a", "repository", https), secret("b", "repo-creds", "https://charts.example.com")}, https, ""},
		"another host":                 {[]client.Object{ofCharts(secret("a", "repo-creds", "https://charts.example.com"))}, "https://charts.example.com.evil.org/stable", ""},
		"over plain HTTP":              {[]client.Object{ofCharts(secret("a", "repo-creds", "https://charts.example.com"))}, "http://charts.example.com/stable", ""},
		"of another namespace":         {[]client.Object{in("argocd", ofCharts(secret("a", "repository", https)))}, https, ""},
		"in a registry":                {[]client.Object{ofCharts(secret("a", "repository", "registry.example.com/charts/db"), "enableOCI")}, oci, "a"},
		"in a registry, with a scheme": {[]client.Object{ofCharts(secret("a", "repository", oci))}, oci, "a"},
		"the folder of Argo CD's":      {[]client.Object{ofCharts(secret("a", "repository", "registry.example.com/charts"), "enableOCI")}, oci, "a"},
		"a folder above that":          {[]client.Object{ofCharts(secret("a", "repository", "registry.example.com"), "enableOCI")}, oci, ""},
		"a registry":                   {[]client.Object{ofCharts(secret("a", "repo-creds", "registry.example.com"), "enableOCI")}, oci, "a"},
		"a registry without enableOCI": {[]client.Object{ofCharts(secret("a", "repo-creds", "registry.example.com"))}, oci, ""},
		"the host over HTTPS":          {[]client.Object{ofCharts(secret("a", "repo-creds", "https://registry.example.com"))}, oci, ""},
		"a registry for a website":     {[]client.Object{ofCharts(secret("a", "repo-creds", "charts.example.com"), "enableOCI")}, https, ""},
		"Docker Hub":                   {[]client.Object{ofCharts(secret("a", "repo-creds", "docker.io"), "enableOCI")}, "oci://registry-1.docker.io/shopcharts/db", "a"},
		"no url, for Docker Hub":       {[]client.Object{ofCharts(secret("a", "repo-creds", ""), "enableOCI")}, "oci://registry-1.docker.io/shopcharts/db", ""},
		"no url":                       {[]client.Object{ofCharts(secret("a", "repo-creds", ""), "enableOCI"), ofCharts(secret("b", "repo-creds", ""))}, oci, ""},
		"its own before its folder's": {[]client.Object{
			ofCharts(secret("a", "repository", "registry.example.com/charts"), "enableOCI"), ofCharts(secret("b", "repository", "registry.example.com/charts/db"), "enableOCI"),
			ofCharts(secret("c", "repo-creds", "registry.example.com/charts"), "enableOCI"),
		}, oci, "b"},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newCluster(t, test.secrets...)
			found, user, password, err := cluster.store().Chart(t.Context(), namespace, test.repo)
			must(t, err)
			if password != test.want || found != test.want || (user == "git") != (test.want != "") {
				t.Errorf("got Secret %q, user %q, password %q, want %q", found, user, password, test.want)
			}
			if found, _, _, err := cluster.store().Chart(t.Context(), "other", test.repo); found != "" || err != nil {
				t.Errorf("a pipeline of another namespace gets %q, %v", found, err)
			}
		})
	}
	// Nor does Git get what is for charts.
	_, password, err := newCluster(t, ofCharts(secret("a", "repository", https))).store().Git(t.Context(), https)
	must(t, err)
	if password != "" {
		t.Errorf("Git gets %q", password)
	}
}

func TestPipelinesOfAnotherNamespaceGetNoneOfWaybillsCredentials(t *testing.T) {
	const repo = "https://git.example.com/team/shop.git"
	s := newCluster(t, secret("a", "repository", repo), in("other", secret("b", "repository", repo))).store()
	for namespace, want := range map[string]string{s.Namespace(): "a", "other": "", "": ""} {
		_, password, err := s.GitOf(t.Context(), namespace, repo)
		must(t, err)
		if password != want {
			t.Errorf("a pipeline of namespace %q gets the password %q, want %q", namespace, password, want)
		}
	}
}
